// The comparison of records that were chosen at random with what Procore shows of each. Nothing is stored.
//
//   some rows are chosen, once ──▶ a show of each: what differs, what is not found ──▶ suspected
//   a pause ──▶ a second show of those ──▶ what is seen again is sure ──▶ proof, and repair where it is wanted
//
// A row differs only if it is older than the request for its show, and no news of it waits. A field that the show has, and the list that the
// row came from lacks, is no difference. What is not found is told when it was missed twice and others of its place are shown
// (docs/architecture.md, Not found); nothing is buried here.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import {
  type BatchKey,
  compareRecords,
  type Difference,
  forgetDifferences,
  inTransaction,
  listDifferences,
  listSuspects,
  lockLacking,
  pickRows,
  type Queryable,
  settleSuspects,
  suspectDifferences,
  takeVersion,
} from '@procore-mirror/database';
import { expandPath } from '@procore-mirror/procore';
import { z } from 'zod';
import { flawOfAnswer } from './ask/look-at-list.ts';
import { pathValues } from './ask/record-paths.ts';
import { isPlaceAnswered } from './ask/witness.ts';
import type { Compared, CompareOptions, KeptComparison } from './compare/comparison.ts';
import { isNotFound } from './plan/judge-failure.ts';
import { type BatchRun, openRun, scopeOf } from './run/batch-run.ts';
import { realTime } from './run/clock.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { rulesOf } from './run/kept-walk.ts';
import { checkShow } from './run/read-answer.ts';
import { markForRepair } from './store/mark-for-repair.ts';

const samplePlace = z.object({
  rules: z.string(),
  /** The rows that were chosen, and how many of them were looked at. */
  chosen: z.array(z.object({ id: z.string(), parentId: z.string().nullable(), isComplete: z.boolean() })),
  at: z.number(),
  /** How many were shown, how many not found, and the first reason why others could not be compared. */
  shown: z.number(),
  missed: z.number(),
  flaw: z.string().nullable(),
});

type SamplePlace = z.infer<typeof samplePlace>;

type SampleOptions = Omit<CompareOptions, 'kept' | 'now' | 'rung' | 'buriesAll'> & {
  /** How many records. */
  shows: number;
  kept: Pick<KeptComparison, 'place' | 'end'> & {
    keep: (client: Queryable, place: SamplePlace, calls: number) => Promise<void>;
  };
};

type Sample = { run: BatchRun; place: SamplePlace; options: SampleOptions };
type Seen =
  | { kind: 'equal' | 'passed over' }
  | { kind: 'differs'; difference: Difference }
  | { kind: 'flaw'; flaw: string };

/** Whom so many shows in a row refuse is refused by the rest, too. */
const REFUSALS_IN_A_ROW = 10;
const NOTHING = 'no row could be compared, for news of those that were chosen waits, or there is none any more';

/** Compares so many records of the resource, and tells what differs, each after a second look. Throws what the client throws, and may pass. */
export async function compareSample(
  settings: FetchSettings,
  scope: BatchKey,
  options: SampleOptions,
): Promise<Compared> {
  const run = await openRun(settings, { ...scope, lane: options.lane }, options.signal);
  const before = samplePlace.safeParse(options.kept.place).data;
  const isSame = before?.rules === rulesOf(run);
  const place = before && isSame ? before : await choose(run, options.shows);
  const sample = { run, place, options };
  try {
    // Only who has it still: another may have found something by now.
    if (place !== before)
      await inTransaction(settings.database, async (client) => {
        await forgetDifferences(client, scope);
        await options.kept.keep(client, place, 0);
      });
    await lookAtAll(sample);
    await lookAgain(sample);
    return await conclude(sample);
  } finally {
    options.onEnd?.(run.counts().calls);
  }
}

async function choose(run: BatchRun, shows: number): Promise<SamplePlace> {
  const { entry, settings } = run;
  const { pool } = settings.database;
  const chosen = entry.show === null ? [] : await pickRows(pool, { ...scopeOf(run, entry), table: entry.table }, shows);
  return { rules: rulesOf(run), chosen, at: 0, shown: 0, missed: 0, flaw: null };
}

async function lookAtAll(sample: Sample): Promise<void> {
  const { run, options } = sample;
  let refusals = 0;
  for (const row of sample.place.chosen.slice(sample.place.at)) {
    const seen: Seen = refusals < REFUSALS_IN_A_ROW ? await look(run, row) : { kind: 'passed over' };
    refusals = seen.kind === 'flaw' ? refusals + 1 : refusals < REFUSALS_IN_A_ROW ? 0 : refusals;
    const { at, shown, missed, flaw } = sample.place;
    const isMissed = seen.kind === 'differs' && seen.difference.kind === 'extra';
    const isShown = seen.kind === 'equal' || (seen.kind === 'differs' && !isMissed);
    const place = {
      ...{ ...sample.place, at: at + 1, shown: shown + Number(isShown), missed: missed + Number(isMissed) },
      flaw: flaw ?? (seen.kind === 'flaw' ? seen.flaw : null),
    };
    await inTransaction(run.settings.database, async (client) => {
      if (seen.kind === 'differs') await suspectDifferences(client, run.batch, [seen.difference]);
      await options.kept.keep(client, place, run.counts().calls);
    });
    sample.place = place;
  }
}

/** One look at a record. */
async function look(run: BatchRun, { id, parentId, isComplete }: SamplePlace['chosen'][number]): Promise<Seen> {
  const { entry, settings, batch, signal } = run;
  const { database, client: procore } = settings;
  const version = await takeVersion(database);
  const at = { ...scopeOf(run, entry), table: entry.table };
  try {
    const path = expandPath(entry.show ?? '', await pathValues(run, entry, parentId, id));
    using shown = await procore.get(path, { companyId: batch.companyId, signal });
    const wrapper = checkShow(shown.text, entry, id);
    run.seeAnswer();
    // A row may be from an answer that carries less than a show: then what both have is compared.
    const isPart = !isComplete || !isShownAlone(entry);
    const answer = { ...at, version, json: shown.text.bytes, wrapper, parentId, only: [id], idsOnly: false, isPart };
    const [found] = await inTransaction(database, (client) => compareRecords(client, answer));
    return found === undefined ? { kind: 'equal' } : { kind: 'differs', difference: { ...found, parentId } };
  } catch (error) {
    const refused = flawOfAnswer(error);
    if (!isNotFound(refused)) return { kind: 'flaw', flaw: refused.message };
    const held = await inTransaction(database, (client) => lockLacking(client, { ...at, since: version }, [id]));
    return held.length === 0
      ? { kind: 'passed over' }
      : { kind: 'differs', difference: { id, kind: 'extra', fields: null, parentId } };
  }
}

/** Does nothing but its show bring a whole record? Else whole lists or parents do, and nobody says that these carry all that a show does. */
function isShownAlone({ list, parent }: CataloguedResource): boolean {
  return list?.carries !== 'whole record' && parent?.embeddedAs == null;
}

/** What differs at a second look, too, is sure. */
async function lookAgain({ run, options, place }: Sample): Promise<void> {
  const { settings, batch } = run;
  const suspects = await listSuspects(settings.database.pool, batch);
  if (suspects.length === 0) return;
  await (settings.clock ?? realTime).sleep(settings.absencePauseMs, run.signal);
  const seen: Difference[] = [];
  const chosen = new Map(place.chosen.map((row) => [row.id, row]));
  for (const suspect of suspects) {
    const again = await look(run, { isComplete: true, ...suspect, ...chosen.get(suspect.id) });
    if (again.kind === 'differs') seen.push(again.difference);
  }
  const gone = seen.filter(({ kind }) => kind === 'extra').map((difference) => ({ ...difference, attempts: 0 }));
  // Where nothing else of the place is shown, that is its own trouble.
  const isProved = gone.length === 0 || run.counts().answered > 0 || (await isPlaceAnswered(run, run.entry, gone));
  const sure = isProved ? seen : seen.filter(({ kind }) => kind !== 'extra');
  if (!isProved) place.flaw ??= `nothing else of ${run.entry.resource} is there, so nothing is taken for gone`;
  await inTransaction(settings.database, async (client) => {
    for (const parentId of new Set(suspects.map((suspect) => suspect.parentId)))
      await settleSuspects(client, batch, { parentId, seen: sure.filter((one) => one.parentId === parentId) });
    await options.kept.keep(client, place, run.counts().calls);
  });
}

async function conclude({ run, place, options }: Sample): Promise<Compared> {
  const { settings, batch } = run;
  const { database } = settings;
  const differences = await listDifferences(database.pool, batch);
  const count = (kind: Difference['kind']) => differences.filter((difference) => difference.kind === kind).length;
  const ours = place.shown + place.missed;
  const flaw = place.flaw ?? (ours === 0 ? NOTHING : null);
  const compared: Compared = {
    rung: 'sample',
    ...{ ours, theirs: place.shown, missing: count('missing'), changed: count('changed'), extra: count('extra') },
    outcome: differences.length > 0 ? 'differs' : flaw === null ? 'equal' : 'not proved',
    detail: flaw,
    calls: run.counts().calls,
  };
  await inTransaction(database, async (client) => {
    if (options.repairs) await markForRepair(client, run, differences);
    await options.kept.end(client, compared);
  });
  return compared;
}
