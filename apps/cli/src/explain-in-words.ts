// The story of a record, as JSON and in words: the verdict, what happened as a dated list, what to do.
import type { RecordFacts } from '@procore-mirror/database';
import { at, counted, type RecordStory } from '@procore-mirror/mirror';
import { printable } from '@procore-mirror/runtime';
import { outcomeInWords } from './events-now.ts';

export type Explained = { resource: string; id: string; stories: readonly RecordStory[]; isCutOff: boolean };

/** One screen. */
const MOST_LINES = 18;
const MOST_PROJECTS = 8;

/** Keys are turned into snake_case on the way out. */
export function explainedAsJson({ resource, id, stories, isCutOff }: Explained): unknown {
  return { resource, id, isCutOff, stories: stories.map(storyAsJson) };
}

function storyAsJson(story: RecordStory): unknown {
  const { facts, verdict, reason, message, fix, fetches, unreadBodies, projects } = story;
  const { companyId, projectId, company, project, row, elsewhere, pending, deadLetter, hook, proof, parked } = facts;
  return {
    ...{ companyId, projectId, verdict, reason, message, fix, row, elsewhere, pending, deadLetter, hook },
    ...{
      fill: tellingFill(facts),
      proof,
      listing: facts.listing,
      difference: facts.difference,
      parked,
      company,
      project,
    },
    ...{ absences: facts.absences, gaps: facts.gaps, undelivered: facts.undelivered, unreadBodies, projects },
    events: story.events.map(({ became, outcome: _, reason: __, ...event }) => ({ ...event, ...became })),
    fetches,
  };
}

/** Of several that its records may come by: the one that is not done. */
function tellingFill({ fills }: RecordFacts): RecordFacts['fills'][number] | null {
  const order = ['failed', 'running', 'waiting', 'done', 'off'];
  return fills.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state))[0] ?? null;
}

export function explainedInWords({ resource, stories }: Explained): string {
  return stories.map((story) => storyInWords(story, resource)).join('\n\n');
}

function storyInWords(story: RecordStory, resource: string): string {
  const { verdict, reason, message, fix } = story;
  const lines = linesOf(story, resource);
  const shown = lines.slice(-MOST_LINES);
  const cut = lines.length > shown.length ? [`  (${lines.length - shown.length} earlier: --json)`] : [];
  return [
    `${WORDS[verdict]} (${reason}): ${printable(message)}.`,
    ...(shown.length > 0
      ? ['', ...cut, ...shown.map(({ moment, what }) => `  ${at(moment)}  ${printable(what)}`)]
      : []),
    ...projectsInWords(story),
    ...(fix === null ? [] : ['', `To do: ${printable(fix)}.`]),
  ].join('\n');
}

const WORDS = { fine: 'Fine', healing: 'Healing by itself', 'needs you': 'Needs you' } as const;

function projectsInWords({ projects }: RecordStory): string[] {
  if (projects.length === 0) return [];
  const more = projects.length > MOST_PROJECTS ? [`  (${projects.length - MOST_PROJECTS} more: --json)`] : [];
  return [
    '',
    ...projects.slice(0, MOST_PROJECTS).map(({ projectId, reason }) => `  project ${projectId}: ${reason}`),
    ...more,
  ];
}

type Line = { moment: string; what: string };

/** What happened, and what is to come, by time. */
function linesOf(story: RecordStory, resource: string): Line[] {
  const { facts } = story;
  const { row, elsewhere, pending, deadLetter, difference } = facts;
  const isOwn = row?.eventId == null || story.events.some(({ id }) => id === row.eventId);
  const because = isOwn ? '' : `, because of event ${row?.eventId}, which told of another record`;
  const lines: [moment: string | null | undefined, what: string][] = [
    ...story.events.map((event): [string, string] => [
      event.receivedAt,
      `event ${event.id}: ${event.kind}${event.via === 'delivery' ? '' : `, from the ${event.via}`}; ${outcomeInWords(event.became)}`,
    ]),
    ...story.fetches.map((fetch): [string, string] => [
      fetch.calledAt,
      `a request for ${resource} there${fetch.lane === null ? '' : ` (${fetch.lane})`}: ${fetch.route}: ${fetch.status ?? 'no answer'}${fetch.records === null ? '' : `, ${counted(fetch.records, 'record')}`}`,
    ]),
    ...story.unreadBodies.map((body): [string, string] => [body.firstSeenAt, `dead letter ${body.id}: ${body.reason}`]),
    [pending?.firstSeenAt, `news of it waits (lane ${pending?.lane})`],
    [pending?.dueAt, 'its fetch is due'],
    [deadLetter?.lastSeenAt, `given up: ${deadLetter?.reason}, ${deadLetter?.attempts} attempts`],
    [deadLetter?.nextTryAt, 'it is tried again by itself'],
    [row?.fetchedAt, `row: fetched, version ${row?.version}${row?.isComplete === false ? ', in part' : ''}${because}`],
    [row?.changedAt, 'row: its content changed last, as far as is known'],
    [row?.deletedAt, 'row: marked deleted'],
    [row?.hiddenAt, 'row: marked hidden'],
    [elsewhere?.fetchedAt, `row in project ${elsewhere?.projectId}: fetched, version ${elsewhere?.version}`],
    [difference?.foundAt, `a comparison found it ${difference?.kind}`],
    ...facts.absences.map(({ notedAt }): [string, string] => [notedAt, 'a fetch did not find it']),
    ...facts.absences.map(({ lookAt }): [string | null, string] => [lookAt, 'it is looked at again']),
    ...linesOfPlace(facts),
  ];
  return lines
    .flatMap(([moment, what]) => (moment == null ? [] : [{ moment, what }]))
    .toSorted((one, other) => Date.parse(one.moment) - Date.parse(other.moment));
}

function linesOfPlace({
  parked,
  hook,
  proof,
  project,
  undelivered,
  ...facts
}: RecordFacts): [string | null | undefined, string][] {
  const fill = tellingFill({ ...facts, parked, hook, proof, project, undelivered });
  const ofFill = `fill of ${fill?.resource}`;
  return [
    ...parked.map(({ parkedAt, reason }): [string, string] => [parkedAt, `parked: ${reason}`]),
    ...parked.map(({ probeAt }): [string, string] => [probeAt, 'the next probe of what is parked is due']),
    [
      hook?.lookedAt,
      `hook looked at: ${hook?.hookId === null ? 'there is none' : hook?.status}${hook?.finding == null ? '' : ` (${hook.finding})`}`,
    ],
    [fill?.requestedAt, `${ofFill} asked for`],
    [
      fill?.finishedAt,
      `${ofFill}: ${fill?.state}, ${fill?.rows} records${fill?.detail == null ? '' : ` (${fill.detail})`}`,
    ],
    [proof?.provedAt, `comparison (${proof?.rung}): ${proof?.outcome}`],
    [project?.leftAt, 'its project left the selection'],
    [undelivered?.askedAt, `Procore held ${undelivered?.count} undelivered events of the company`],
  ];
}
