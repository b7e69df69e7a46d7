// Is a record as it should be, and if not, why? Pure: facts in, verdict out. The first of the checks that has something to say counts; they go
// from what rules a record out altogether, over what waits or was given up, to what its row says, and where there is none to what could have
// told of it: its list, then events.
import type { RecordFacts, Shortage, UnreadBody } from '@procore-mirror/database';
import { isReadSince, type Span } from '../plan/missed-times.ts';
import { callsLeftInWords } from '../plan/shortage-in-words.ts';
import { undeliveredHours } from './hooks.ts';
import { optionsFor, quoted } from './in-words.ts';

export type RecordCase = RecordFacts & {
  resource: string;
  id: string;
  /** Of what the catalogue lacks, and of what no endpoint is known for, events are logged and nothing is fetched. */
  mirrored: 'yes' | 'not read' | 'unknown';
  inProject: boolean;
  isResourceSelected: boolean;
  /** Is its company among those that are configured, as far as the environment says? */
  isCompanyNamed: boolean;
  /** A list shows its records; such a list, read to its end, shows all there are. */
  hasList: boolean;
  listsAll: boolean;
  /** It has all three triggers, some, or none. */
  triggers: 'all' | 'some' | 'none';
  /** Bodies that nobody could use and that name it. */
  unreadBodies: readonly UnreadBody[];
  /** Times in which deliveries may have been missed, and since when no receiver runs; null: one does, or none ever reported. */
  missed: readonly Span[];
  downSinceMs: number | null;
  hasWorker: boolean;
  /** The company has few calls left, or none. */
  shortage: Shortage | null;
};

/** Why a record is there or not; docs/operations.md explains each. */
export const REASONS = [
  ...['resource-unknown', 'resource-not-read', 'resource-not-selected', 'company-not-selected', 'company-not-listed'],
  ...['project-unknown', 'project-not-selected', 'parked', 'no-worker', 'fetch-fails', 'absent-once', 'calls-used-up'],
  ...['pending', 'dead-letter', 'body-not-read', 'differs', 'deleted', 'hidden', 'in-part', 'up-to-date', 'moved'],
  ...['event-ignored', 'news-without-row', 'never-filled', 'filling', 'fill-failed', 'tool-off', 'since-first-event'],
  ...['hook-missing', 'hook-disabled', 'trigger-missing', 'trigger-not-offered', 'undelivered', 'receiver-down'],
  ...['mirror-was-down', 'events-not-sent', 'filled-in-part', 'not-at-procore', 'never-told'],
] as const;
export type Reason = (typeof REASONS)[number];

export type Judgement = {
  /** `fine`: it is as it should be, there or not. `healing`: it will be, by itself. `needs you`: a person is to do something, or to look. */
  verdict: 'fine' | 'healing' | 'needs you';
  reason: Reason;
  /** One sentence. */
  message: string;
  /** What to do, a command to paste where there is one; null: nothing. */
  fix: string | null;
};

type Check = (record: RecordCase, now: Date) => Judgement | null;

/** Why the record is there, or not, in the place that the facts are of. */
export function judgeRecord(record: RecordCase, now: Date): Judgement {
  for (const check of CHECKS) {
    const judgement = check(record, now);
    if (judgement !== null) return judgement;
  }
  return needsYou(
    'never-told',
    `Procore never told of ${nameOf(record)}: no event came and no list showed it, though nothing else is wrong`,
    `look whether it is there in Procore and the service account sees it; then \`pnpm mirror verify --full --repair${optionsFor(record)}\``,
  );
}

const fine = (reason: Reason, message: string, fix: string | null = null): Judgement => ({
  ...{ verdict: 'fine', reason, message, fix },
});
const healing = (reason: Reason, message: string, fix: string | null = null): Judgement => ({
  ...{ verdict: 'healing', reason, message, fix },
});
const needsYou = (reason: Reason, message: string, fix: string): Judgement => ({
  ...{ verdict: 'needs you', reason, message, fix },
});

const isMirrored: Check = (record) => {
  const { mirrored, resource, isResourceSelected } = record;
  if (mirrored === 'unknown')
    return fine(
      'resource-unknown',
      `the mirror has no table for ${resource}, which the catalogue lacks${asItWas(record)}`,
      'if Procore has an endpoint for it, describe it in MIRROR_CATALOGUE',
    );
  if (mirrored === 'not read')
    return fine('resource-not-read', `no endpoint is known that shows ${resource}, so only its events are logged`);
  if (isResourceSelected) return null;
  return fine(
    'resource-not-selected',
    `${resource} are not mirrored, because MIRROR_RESOURCES does not name them${asItWas(record)}`,
    `add ${resource} to MIRROR_RESOURCES, start the workers anew, and run \`pnpm mirror backfill${optionsFor(record)}\``,
  );
};

const isOfSelectedCompany: Check = (record) => {
  const { company, companyId, isCompanyNamed } = record;
  const fix = `add ${companyId} to PROCORE_COMPANY_IDS, and start the workers anew`;
  if (company?.isSelected === false)
    return fine(
      'company-not-selected',
      `company ${companyId} is not mirrored any more, since ${at(company.leftAt)}${asItWas(record)}`,
      fix,
    );
  if (company === null && !isCompanyNamed)
    return fine('company-not-selected', `company ${companyId} is not among PROCORE_COMPANY_IDS${asItWas(record)}`, fix);
  return null;
};

const isOfSelectedProject: Check = (record) => {
  const { project, projectId, companyId, company, inProject } = record;
  if (!inProject || record.pending !== null) return null;
  // Where nobody listed the projects, events alone bring records.
  const isToldOf = record.row !== null || record.deadLetter !== null || record.events.length > 0;
  if (company === null && isToldOf) return null;
  if (company === null)
    return needsYou(
      'company-not-listed',
      `the projects of company ${companyId} were never listed`,
      'start a worker (`pnpm worker`)',
    );
  if (project === null) {
    const shown = projectId === null ? 'shows none' : `does not show project ${projectId}`;
    return needsYou(
      'project-unknown',
      `Procore's list of the projects of company ${companyId}, last read ${at(company.seenAt)}, ${shown}${asItWas(record)}`,
      `let the service account see ${projectId === null ? 'them' : `project ${projectId}`} in Procore; workers list the projects again by themselves`,
    );
  }
  if (project.isSelected) return null;
  return fine(
    'project-not-selected',
    `project ${projectId} is not mirrored${project.leftAt === null ? '' : ` since ${at(project.leftAt)}`}, because ${whyNotSelected(project)}${asItWas(record)}`,
    project.isActive ? `see MIRROR_PROJECTS, and what the service account may see of project ${projectId}` : null,
  );
};

function whyNotSelected({ isActive, forgottenAt }: NonNullable<RecordFacts['project']>): string {
  if (forgottenAt !== null) return `somebody had it forgotten ${at(forgottenAt)}`;
  return isActive ? 'MIRROR_PROJECTS does not name it, or Procore does not show it any more' : 'it is not active';
}

/** Its row, while it lives, is as of its last fetch. */
function asItWas({ row }: RecordCase): string {
  return row === null || row.fetchedAt === null ? '' : `; its row is as of ${at(row.fetchedAt)}`;
}

const isSettled: Check = (record, now) => {
  const { pending, hasWorker, shortage } = record;
  if (pending === null) return null;
  const what = `news of ${nameOf(record)} waits since ${at(pending.firstSeenAt)}`;
  const parked = widestParked(record);
  if (parked !== null) return parkedJudgement(record, what);
  if (!hasWorker) return needsYou('no-worker', `${what}, and no worker was seen for 30 s`, 'start one (`pnpm worker`)');
  const due =
    Date.parse(pending.dueAt) <= now.getTime() ? 'its fetch is due now' : `its fetch is due ${at(pending.dueAt)}`;
  if (pending.attempts > 0)
    return healing(
      'fetch-fails',
      `${what}: ${times(pending.attempts)} its fetch failed (${pending.lastError ?? 'no reason was noted'}); ${due}`,
    );
  if (pending.absentAt !== null)
    return healing(
      'absent-once',
      `a fetch did not find ${nameOf(record)} ${at(pending.absentAt)}, and looks once more: ${due}`,
    );
  if (shortage !== null && shortage.left === 0)
    return healing('calls-used-up', `${what}: ${callsLeftInWords(shortage)}; ${due}`);
  return healing('pending', `${what}: ${pending.isInHand ? 'a worker fetches it now' : due}`);
};

function widestParked({ parked }: RecordCase): RecordFacts['parked'][number] | null {
  return parked[0] ?? null;
}

function parkedJudgement(record: RecordCase, what: string): Judgement {
  const parked = widestParked(record);
  const place = parked?.companyId == null ? 'everything' : (parked.resource ?? `company ${parked.companyId}`);
  return healing(
    'parked',
    `${what}: ${place} is parked since ${at(parked?.parkedAt ?? null)} (${parked?.reason}: ${parked?.detail ?? 'no detail'}); the next probe is due ${at(parked?.probeAt ?? null)}`,
    `when the cause is removed: \`pnpm mirror scopes probe${parked?.companyId == null ? '' : ` --company ${parked.companyId}`}\``,
  );
}

const isNotGivenUp: Check = (record) => {
  const { deadLetter } = record;
  if (deadLetter === null) return null;
  const { reason, detail, nextTryAt, id } = deadLetter;
  const message = `the fetch of ${nameOf(record)} was given up ${at(deadLetter.lastSeenAt)} (${reason}${detail === null ? '' : `: ${detail}`})`;
  const fix = `\`pnpm mirror dead-letters replay ${quoted(id)}\``;
  if (nextTryAt === null) return needsYou('dead-letter', `${message}, and is not tried again by itself`, fix);
  return healing('dead-letter', `${message}; it is tried again ${at(nextTryAt)}`, fix);
};

const isEqual: Check = (record) => {
  const { difference } = record;
  if (difference === null) return null;
  const { kind, fields, foundAt } = difference;
  const how = {
    missing: 'Procore shows it, and there is no live row',
    extra: 'Procore shows it no more, and there is a live row',
  }[kind];
  return needsYou(
    'differs',
    `a comparison ${at(foundAt)} found ${nameOf(record)} to differ: ${how ?? `its row has other ${fields?.join(', ') ?? 'content'}`}`,
    `\`pnpm mirror verify --full --repair${optionsFor(record)}\``,
  );
};

const isShown: Check = (record) => {
  const { row } = record;
  if (row?.deletedAt != null)
    return fine('deleted', `${nameOf(record)} is deleted in Procore, as is known since ${at(row.deletedAt)}`);
  if (row?.hiddenAt == null) return null;
  const message = `Procore does not show ${nameOf(record)} to the service account since ${at(row.hiddenAt)}: deleted, or no permission`;
  const next = record.absences.find(({ lookAt }) => lookAt !== null)?.lookAt ?? null;
  if (next !== null) return healing('hidden', `${message}; it is looked at again ${at(next)}`);
  return needsYou(
    'hidden',
    message,
    `if it is there in Procore, grant the permission, then \`pnpm mirror verify --full --repair${optionsFor(record)}\``,
  );
};

const isWhole: Check = (record) => {
  const { row } = record;
  if (row === null || row.isComplete) return null;
  return needsYou(
    'in-part',
    `of ${nameOf(record)} only what its list carries is as of ${at(row.fetchedAt)}, and no fetch of the rest waits`,
    `\`pnpm mirror backfill${optionsFor(record)}\``,
  );
};

const isThere: Check = (record) => {
  const { row } = record;
  if (row === null) return null;
  const behind = notToldOf(record, latest(row.fetchedAt, provedSince(record), windowSince(record)));
  if (behind !== null)
    return {
      ...behind,
      message: `${nameOf(record)} is as of ${at(row.fetchedAt)}, and may be behind: ${behind.message}`,
    };
  return fine(
    'up-to-date',
    `${nameOf(record)} is there and up to date: fetched ${at(row.fetchedAt)} (version ${row.version})`,
  );
};

const isHere: Check = (record) => {
  const { elsewhere } = record;
  if (elsewhere === null) return null;
  return fine(
    'moved',
    `${record.resource} ${record.id} is in project ${elsewhere.projectId} of company ${record.companyId}, not in project ${record.projectId}`,
    `\`pnpm mirror explain ${quoted(record.resource)} ${record.id} --company ${record.companyId} --project ${elsewhere.projectId}\``,
  );
};

const isRead: Check = (record) => {
  const [body] = record.unreadBodies;
  if (body === undefined) return null;
  return needsYou(
    'body-not-read',
    `an event of ${nameOf(record)} came ${at(body.firstSeenAt)} and could not be used (${body.reason}${body.detail === null ? '' : `: ${body.detail}`})`,
    `\`pnpm mirror dead-letters show ${quoted(body.id)}\`, and \`pnpm mirror dead-letters replay ${quoted(body.id)}\``,
  );
};

const isNotIgnored: Check = (record) => {
  const [newest] = record.events;
  if (newest === undefined) return null;
  const fix = `\`pnpm mirror verify --full --repair${optionsFor(record)}\``;
  if (newest.outcome === 'ignored')
    return needsYou(
      'event-ignored',
      `the event of ${nameOf(record)} that came ${at(newest.receivedAt)} was ignored (${newest.reason}), as the mirror was set up then`,
      fix,
    );
  return needsYou(
    'news-without-row',
    `an event of ${nameOf(record)} came ${at(newest.receivedAt)}, nothing waits any more, and there is no row: its dead letter was discarded, or the database was emptied or restored`,
    fix,
  );
};

const isFilled: Check = (record) => {
  const { fills, hasList, hasWorker, shortage } = record;
  if (!hasList) return null;
  const [fill] = fills;
  const name = nameOf(record);
  const again = `\`pnpm mirror backfill${optionsFor(record)}\``;
  if (fill === undefined)
    return needsYou(
      'never-filled',
      `${name} was never fetched: no event told of it, and its list was never filled`,
      again,
    );
  const failed = fills.find(({ state }) => state === 'failed');
  if (failed !== undefined)
    return needsYou(
      'fill-failed',
      `no event told of ${name}, and the fill of its list failed ${at(failed.finishedAt)} (${failed.detail ?? 'no reason was noted'})`,
      again,
    );
  const open = fills.find(({ state }) => state === 'waiting' || state === 'running');
  if (open !== undefined) {
    const what = `no event told of ${name}, and its list is being filled since ${at(open.requestedAt)} (${open.rows} of ${open.total ?? 'an unknown number of'} records)`;
    if (widestParked(record) !== null) return parkedJudgement(record, what);
    if (!hasWorker)
      return needsYou('no-worker', `${what}, and no worker was seen for 30 s`, 'start one (`pnpm worker`)');
    if (shortage !== null && shortage.left === 0)
      return healing('calls-used-up', `${what}: ${callsLeftInWords(shortage)}`);
    return healing('filling', what, `\`pnpm mirror backfill${optionsFor(record)}\` shows how far it is`);
  }
  if (fills.every(({ state }) => state === 'off'))
    return fine(
      'tool-off',
      `there is no ${name}: the tool of ${record.resource} is off there, as Procore said ${at(fill.finishedAt)}`,
      `if it is on now: ${again}`,
    );
  return null;
};

const wasToldOf: Check = (record) => {
  const since = provedSince(record);
  const behind = notToldOf(record, since ?? latest(...record.fills.map(({ finishedAt }) => finishedAt)));
  if (behind !== null)
    return { ...behind, message: `there is no ${nameOf(record)}, and it may be lacking: ${behind.message}` };
  if (!record.hasList)
    return needsYou(
      'since-first-event',
      `no event told of ${nameOf(record)} yet, and no list shows ${record.resource}: the mirror gets to know a record by its first event`,
      'save the record once in Procore: the event brings it',
    );
  const inPart = record.fills.find(({ detail }) => detail !== null);
  if (since === null && inPart !== undefined)
    return needsYou(
      'filled-in-part',
      `no event told of ${nameOf(record)}, and the fill of its list lacks something (${inPart.detail})`,
      `\`pnpm mirror backfill${optionsFor(record)}\``,
    );
  if (since === null) return null;
  return fine(
    'not-at-procore',
    `there is no ${nameOf(record)} at Procore that the service account sees: its list, read whole ${at(since)}, did not show it, and no event told of it since`,
    'if it is there in Procore: the service account lacks the permission, or it is private',
  );
};

const CHECKS: readonly Check[] = [
  ...[isMirrored, isOfSelectedCompany, isOfSelectedProject, isSettled, isNotGivenUp, isEqual, isShown, isWhole],
  ...[isThere, isHere, isRead, isNotIgnored, isFilled, wasToldOf],
];

/** What keeps events from coming, or kept them since then. */
function notToldOf(record: RecordCase, since: string | null): Judgement | null {
  const { undelivered, downSinceMs, triggers } = record;
  const gone = record.parked.find(({ reason }) => reason === 'not_connected');
  if (gone !== undefined)
    return healing(
      'parked',
      `company ${record.companyId} refuses everything since ${at(gone.parkedAt)}: the app is not connected there, so that Procore tells of nothing; the next probe is due ${at(gone.probeAt)}`,
      `an admin of company ${record.companyId} connects the app again (App Management), and then \`pnpm mirror scopes probe --company ${record.companyId}\``,
    );
  const hook = triggers === 'none' ? null : troubleOfHook(record);
  if (hook !== null) return hook;
  if (downSinceMs !== null)
    return needsYou(
      'receiver-down',
      `no receiver runs since ${at(new Date(downSinceMs).toISOString())}, so that no event comes`,
      'start it (`pnpm ingest`); workers then bring in what it missed',
    );
  if (undelivered !== null) {
    const { count, oldestAt, askedAt } = undelivered;
    // For a while Procore tries again by itself.
    const isOld = oldestAt === null || undeliveredHours(Date.parse(askedAt) - Date.parse(oldestAt)) > 0;
    return (isOld ? needsYou : healing)(
      'undelivered',
      `at ${at(askedAt)} Procore held ${count} events of company ${record.companyId} that it could not deliver, the oldest of ${at(oldestAt)}`,
      'see that the receiver runs and that WEBHOOK_URL leads to it; `pnpm mirror hooks status` compares',
    );
  }
  return missedSince(record, since);
}

function troubleOfHook({
  hook,
  events,
  triggers,
  resource,
  companyId,
  projectId,
  inProject,
}: RecordCase): Judgement | null {
  const place = inProject && projectId !== null ? `project ${projectId}` : `company ${companyId}`;
  const apply = '`pnpm mirror hooks apply`';
  if (hook === null && events.some(({ via }) => via === 'delivery')) return null; // somebody has one
  if (hook === null || hook.hookId === null)
    return needsYou(
      'hook-missing',
      `${place} has no hook as far as is known${becauseOf(hook)}, so that Procore tells of nothing`,
      apply,
    );
  if (hook.status !== null && hook.status !== 'active')
    return needsYou('hook-disabled', `the hook of ${place} is ${hook.status}, so that Procore tells of nothing`, apply);
  if (!hook.isOffered)
    return healing(
      'trigger-not-offered',
      `Procore offers no triggers of ${resource} in ${place}: only comparisons tell of changes`,
      `\`pnpm mirror verify --repair${optionsFor({ companyId, projectId, resource })}\``,
    );
  const isLacking = hook.refused.length > 0 || (hook.carries === false && triggers === 'all');
  if (!isLacking) return null;
  const which = hook.refused.length > 0 ? ` (${hook.refused.join(', ')})` : '';
  return needsYou('trigger-missing', `the hook of ${place} lacks triggers of ${resource}${which}`, apply);
}

function becauseOf(hook: RecordFacts['hook']): string {
  return hook?.finding == null ? '' : ` (${hook.finding})`;
}

function missedSince(record: RecordCase, since: string | null): Judgement | null {
  const { missed, gaps, hook } = record;
  const sinceMs = since === null ? Number.NEGATIVE_INFINITY : Date.parse(since);
  const { logFrom = null, logUntil = null, undeliveredReadAt = null } = hook ?? {};
  const isRead = (span: Span) => isReadSince(span, { from: logFrom, until: logUntil, undeliveredReadAt });
  const span = missed.find((one) => one.untilMs > sinceMs && !isRead(one));
  if (span !== undefined) {
    const day = new Date(span.sinceMs).toISOString().slice(0, 10);
    return healing(
      'mirror-was-down',
      `from ${at(new Date(span.sinceMs).toISOString())} to ${at(new Date(span.untilMs).toISOString())} deliveries may have been missed, and Procore's log of that time is not read yet`,
      `workers read it by themselves; \`pnpm mirror repair --since ${day}\` asks for it now`,
    );
  }
  const gap = gaps.find(({ until }) => Date.parse(until) > sinceMs);
  if (gap === undefined) return null;
  const when = `${gap.since === null ? 'until' : `from ${at(gap.since)} to`} ${at(gap.until)}`;
  const message = `${when} no hook or trigger was there to tell of it, or what told was discarded`;
  if (!record.hasList)
    return needsYou(
      'events-not-sent',
      `${message}, and no list shows ${record.resource}`,
      'save the record once in Procore: its event brings it',
    );
  return healing(
    'events-not-sent',
    message,
    `comparisons find what is lacking; \`pnpm mirror verify --full --repair${optionsFor(record)}\` compares now`,
  );
}

/** Since when the table is known to hold all there was; null: nothing shows it. */
function provedSince({ fills, listing, above, listsAll }: RecordCase): string | null {
  if (!listsAll || above.lacking > 0) return null;
  const begun = fills.map(({ completeSince }) => completeSince);
  const filled = fills.length > 0 && begun.every((one) => one !== null) ? earliest(...begun, above.since) : null;
  return latest(filled, listing === null ? null : earliest(listing.asOf, above.since));
}

function windowSince({ proof }: RecordCase): string | null {
  return proof?.outcome === 'equal' && ['window', 'listing'].includes(proof.rung) ? proof.asOf : null;
}

function latest(...moments: readonly (string | null)[]): string | null {
  return moments.reduce(
    (one, other) => (one === null || (other !== null && Date.parse(other) > Date.parse(one)) ? other : one),
    null,
  );
}

function earliest(...moments: readonly (string | null)[]): string | null {
  return moments.reduce(
    (one, other) => (one === null || (other !== null && Date.parse(other) < Date.parse(one)) ? other : one),
    null,
  );
}

/** `RFIs 123 of project 7`. */
function nameOf({ resource, id, companyId, projectId, inProject }: RecordCase): string {
  if (!inProject) return `${resource} ${id} of company ${companyId}`;
  return projectId === null ? `${resource} ${id} in company ${companyId}` : `${resource} ${id} of project ${projectId}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

/** `2026-06-30 12:05 UTC`. */
export function at(moment: string | null): string {
  return moment === null
    ? 'at an unknown time'
    : `${new Date(moment).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
