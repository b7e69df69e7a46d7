// The story of one record: what is known of it in each company and project where there is anything of it, and why it is as it is. Where nobody
// told of it, each company that it may be of has one, which looks at all its projects.
import { type Catalogue, listsAll } from '@procore-mirror/catalogue';
import {
  type BatchKey,
  type Database,
  findLatestFetches,
  findRecordPlaces,
  findUnreadBodies,
  listNotedPlaces,
  listPlaces,
  listTold,
  type Place,
  type RecordFacts,
  type RecordFetch,
  type RecordName,
  readReceiverTimes,
  readRecordFacts,
  readShortages,
  type UnreadBody,
} from '@procore-mirror/database';
import { type EventOutcome, outcomeOfEvent } from './judge/event-outcome.ts';
import { type Judgement, judgeRecord, type Reason, type RecordCase } from './judge/judge-record.ts';
import { downSince, missedTimes } from './plan/missed-times.ts';
import { isSelected, type Selection } from './plan/news-of-event.ts';
import { isWorkerThere } from './watch-work.ts';

export type RecordStory = Judgement & {
  facts: RecordFacts;
  events: readonly (RecordFacts['events'][number] & { became: EventOutcome })[];
  fetches: readonly RecordFetch[];
  unreadBodies: readonly UnreadBody[];
  /** Where nobody told of the project: why it is in none of those of the company. */
  projects: readonly { projectId: string; reason: Reason }[];
};

type Asked = {
  /** In any case. */
  resource: string;
  id: string;
  companyId?: string | undefined;
  projectId?: string | undefined;
  now: Date;
};
type Explain = { database: Database; catalogue: Catalogue; selection: Selection };

/** Stories and projects that are looked at, at most. */
const MOST_STORIES = 10;
const MOST_PROJECTS = 2500;

/** `isCutOff`: there are more, and --company or --project chooses among them. The resource is told as it is spelled. */
export async function explainRecord(
  explain: Explain,
  asked: Asked,
): Promise<{ resource: string; stories: RecordStory[]; isCutOff: boolean }> {
  const { pool } = explain.database;
  const told = await listTold(pool);
  const record = nameRecord(explain, asked, told);
  const known = await knownPlaces(pool, asked);
  const companyIds = companiesOf(explain.selection, asked, { known, told });
  const where = { companyIds, projectId: asked.projectId, limit: MOST_STORIES + 1 };
  const found = await findRecordPlaces(pool, record, where);
  const judge = await createJudge(explain, record, asked.now, companyIds);
  if (found.length > 0) {
    const facts = await readRecordFacts(pool, record, found.slice(0, MOST_STORIES));
    const stories = await Promise.all(facts.map((one) => judge.story(one)));
    return { resource: record.resource, stories, isCutOff: found.length > MOST_STORIES };
  }
  const stories: RecordStory[] = [];
  for (const companyId of companyIds.slice(0, MOST_STORIES)) {
    const places = placesOf(companyId, { record, asked, known }).slice(0, MOST_PROJECTS);
    stories.push(await judge.storyOfNobody(await readRecordFacts(pool, record, places)));
  }
  return { resource: record.resource, stories, isCutOff: companyIds.length > MOST_STORIES };
}

type Told = readonly { companyId: string; resource: string }[];

function nameRecord({ catalogue }: Explain, { resource, id }: Asked, told: Told): RecordName {
  const entry = catalogue.find(resource);
  const isMeant = (name: string) => name.toLowerCase() === resource.toLowerCase();
  const named = told.map((one) => one.resource).filter(isMeant);
  const name = entry?.resource ?? named[0] ?? resource;
  return { resource: name, spellings: [...new Set([name, ...named])], id, table: entry?.table ?? null };
}

/** Those that were listed; where a project is asked for that never was, all of which anything is known. */
async function knownPlaces(pool: Database['pool'], { projectId }: Asked): Promise<Place[]> {
  const noted = await listNotedPlaces(pool);
  const isNoted = projectId === undefined || noted.some((place) => place.projectId === projectId);
  return isNoted ? noted : listPlaces(pool);
}

function companiesOf(
  { companyIds }: Selection,
  { companyId, projectId }: Asked,
  { known, told }: { known: readonly Place[]; told: Told },
): string[] {
  if (companyId !== undefined) return [companyId];
  const ofProject = known.filter((place) => place.projectId === projectId).map((place) => place.companyId);
  if (projectId !== undefined && ofProject.length > 0) return [...new Set(ofProject)];
  return [...new Set([...(companyIds ?? []), ...[...known, ...told].map((one) => one.companyId)])];
}

/** Where a record of which nobody told may be. */
function placesOf(
  companyId: string,
  { record, asked, known }: { record: RecordName; asked: Asked; known: readonly Place[] },
): Place[] {
  if (record.table?.scope !== 'project') return [{ companyId, projectId: null }];
  if (asked.projectId !== undefined) return [{ companyId, projectId: asked.projectId }];
  const projects = known.filter((place) => place.companyId === companyId && place.projectId !== null);
  return projects.length === 0 ? [{ companyId, projectId: null }] : projects;
}

type Judge = {
  story: (facts: RecordFacts) => Promise<RecordStory>;
  /** Of a record of which nobody told, in each place of a company where it may be. */
  storyOfNobody: (places: readonly RecordFacts[]) => Promise<RecordStory>;
};

async function createJudge(
  { database, catalogue, selection }: Explain,
  record: RecordName,
  now: Date,
  companyIds: readonly string[],
): Promise<Judge> {
  const { pool } = database;
  const [receivers, hasWorker, shortages, bodies] = await Promise.all([
    readReceiverTimes(pool),
    isWorkerThere(database),
    readShortages(pool, companyIds),
    findUnreadBodies(database, record, companyIds),
  ]);
  const entry = catalogue.find(record.resource);
  const { table } = record;
  const events = entry?.events.filter((kind) => ['create', 'update', 'delete'].includes(kind)) ?? [];
  const ofResource = {
    resource: record.resource,
    id: record.id,
    mirrored: entry === undefined ? 'unknown' : table === null ? 'not read' : 'yes',
    inProject: table?.scope === 'project',
    isResourceSelected: isSelected({ resource: record.resource }, selection),
    hasList: (table?.filledBy?.length ?? 0) > 0,
    listsAll: entry !== undefined && (table?.provedBy !== undefined || listsAll(entry)),
    triggers: events.length === 3 ? 'all' : events.length > 0 ? 'some' : 'none',
    missed: missedTimes(receivers),
    downSinceMs: downSince(receivers),
    hasWorker,
  } as const;

  const caseOf = (facts: RecordFacts): RecordCase => ({
    ...facts,
    ...ofResource,
    isCompanyNamed: selection.companyIds?.includes(facts.companyId) ?? true,
    unreadBodies: bodies.filter(({ companyId }) => companyId === null || companyId === facts.companyId),
    shortage: shortages.find(({ companyId }) => companyId === facts.companyId) ?? null,
  });

  async function told(facts: RecordFacts, judgement: Judgement): Promise<RecordStory> {
    const { pending, deadLetter, row, elsewhere, companyId, projectId } = facts;
    const newestEventId = facts.events.find(({ outcome }) => outcome === 'pending')?.id ?? null;
    const state = { pending, deadLetter, row: row ?? elsewhere, newestEventId };
    const key: BatchKey = { companyId, projectId, resource: record.resource };
    return {
      ...judgement,
      facts,
      events: facts.events.map((event) => ({ ...event, became: outcomeOfEvent(event, state) })),
      fetches: await findLatestFetches(pool, key),
      unreadBodies: caseOf(facts).unreadBodies,
      projects: [],
    };
  }

  const story: Judge['story'] = (facts) => told(facts, judgeRecord(caseOf(facts), now));

  async function storyOfNobody(places: readonly RecordFacts[]): Promise<RecordStory> {
    const judged = places.map((facts) => ({ facts, judgement: judgeRecord(caseOf(facts), now) }));
    const selected = judged.filter(({ judgement }) => judgement.reason !== 'project-not-selected');
    const [worst, ...others] = (selected.length === 0 ? judged : selected).toSorted(
      (one, other) => RANK[one.judgement.verdict] - RANK[other.judgement.verdict],
    );
    if (worst === undefined) throw new Error('there is a place at least');
    if (others.length === 0) return told(worst.facts, worst.judgement);
    const all = [worst, ...others];
    const { companyId } = worst.facts;
    return {
      ...(await told({ ...worst.facts, projectId: null, project: null }, worst.judgement)),
      message: `there is no ${record.resource} ${record.id} in company ${companyId}, and nobody told in which of its ${all.length} projects it is; project ${worst.facts.projectId}: ${worst.judgement.message}`,
      projects: all.map(({ facts, judgement }) => ({ projectId: facts.projectId ?? '', reason: judgement.reason })),
    };
  }

  return { story, storyOfNobody };
}

const RANK: Record<Judgement['verdict'], number> = { 'needs you': 0, healing: 1, fine: 2 };
