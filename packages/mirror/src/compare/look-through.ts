// The lists of one rung looked through, and those with suspects once more: what is seen again is sure.
import {
  listDifferences,
  listSuspectLists,
  settleMoved,
  settleSuspects,
  suspectDifferences,
} from '@procore-mirror/database';
import { ProcoreResponseError } from '@procore-mirror/procore';
import { flawOfAnswer } from '../ask/look-at-list.ts';
import { ScopeParkedError } from '../errors.ts';
import { judgeFailure } from '../plan/judge-failure.ts';
import { realTime } from '../run/clock.ts';
import { type Comparison, type Found, keepPlace, type Part, type Seen } from './comparison.ts';
import { mayBeUnderWay, waitedForEvents, waitForEvents } from './late-events.ts';

/** Records that a list says are gone. */
export type Gone = Pick<Found, 'isCounted'> & { ids: readonly string[]; parentId: string | null };

/** `why` some of them may be there, null: none may; those that are `gone` all the same; and those that are to be fetched before anybody says so. */
export type Doubt = { why: string | null; gone: readonly string[]; unlisted: readonly string[] };

/** How the lists of a rung are looked at. */
export type RungLooks = {
  parts: readonly Part[];
  look: (comparison: Comparison, part: Part) => Promise<Found>;
  /** Whether records of a list that seem to be gone may be there all the same. */
  doubt: (comparison: Comparison, gone: Gone) => Promise<Doubt>;
  /** Is what a list lacks told by it? Then one that lacked a record and shows it was shifting. */
  tellsByLacking: boolean;
};

/** Whom so many lists in a row refuse is refused by the rest, too. */
const REFUSALS_IN_A_ROW = 10;
/** So many lists of a comparison that fail are tried several times each. */
const REFUSED_WITH_TRIES = 3;
const NO_DOUBT: Doubt = { why: null, gone: [], unlisted: [] };
const NOTHING_SEEN: Found = { differences: [], ids: new Set(), flaw: null, isCounted: false, isRefused: true };

/** All of them are gone, unless something speaks against it. */
export function doubtAll({ ids }: Gone, why: string | null): Doubt {
  return { why, gone: why === null ? ids : [], unlisted: [] };
}

/** Looks at all lists, and once more at those where something seems to differ. Throws what may pass. */
export async function lookThrough(comparison: Comparison, looks: RungLooks): Promise<void> {
  await lookAtAll(comparison, looks);
  await lookAgain(comparison, looks);
  if (looks.tellsByLacking) await lookElsewhere(comparison, looks);
}

async function lookAtAll(comparison: Comparison, { parts, look }: RungLooks): Promise<void> {
  const { run } = comparison;
  for (const part of parts) {
    const { after, theirs, flaw, refused, inARow } = comparison.place;
    if (after !== null && part.name <= after) continue;
    const found = inARow < REFUSALS_IN_A_ROW ? await look(comparison, part) : NOTHING_SEEN;
    const place = {
      ...{ after: part.name, theirs: theirs + found.ids.size, flaw: flaw ?? found.flaw },
      ...{ refused: refused + Number(found.isRefused), inARow: found.isRefused ? inARow + 1 : 0 },
    };
    await keepPlace(comparison, place, async (client) => {
      await suspectDifferences(client, run.batch, found.differences);
      return undefined;
    });
  }
}

/** What differs at a second look, too, is sure, unless its event may be under way: then it is at a third one, when that has had time to come. */
async function lookAgain(comparison: Comparison, looks: RungLooks): Promise<void> {
  const { settings, batch, signal } = comparison.run;
  const suspects = () => listSuspectLists(settings.database.pool, batch);
  const lists = await suspects();
  if (lists.length === 0) return;
  const hasWaited = await waitedForEvents(comparison);
  if (!hasWaited) await (settings.clock ?? realTime).sleep(settings.absencePauseMs, signal);
  for (const parentId of lists) await settleList(comparison, looks, parentId, { hasWaited });
  if (!hasWaited && (await suspects()).length > 0) await waitForEvents(comparison);
}

/** A child that went to a list which had been read before was in neither: what seems to be gone is looked for in those. */
async function lookElsewhere(comparison: Comparison, { parts, look }: RungLooks): Promise<void> {
  const { settings, batch } = comparison.run;
  const differences = await listDifferences(settings.database.pool, batch);
  const gone = differences.filter(({ kind, parentId }) => kind === 'extra' && parentId !== null);
  for (const part of parts) {
    const later = gone.filter(({ parentId }) => parentId !== null && parentId > part.name).map(({ id }) => id);
    const { searched } = comparison.place;
    if (later.length === 0 || (searched !== null && part.name <= searched)) continue;
    const found = await look(comparison, part);
    const ids = later.filter((id) => found.ids.has(id));
    await keepPlace(comparison, { searched: part.name }, async (client) => {
      await settleMoved(client, batch, { ids, seen: found.differences });
      return undefined;
    });
  }
}

async function settleList(
  comparison: Comparison,
  { parts, look, doubt, tellsByLacking }: RungLooks,
  parentId: string | null,
  { hasWaited }: { hasWaited: boolean },
): Promise<void> {
  let seen: Seen[] = [];
  const ids = new Set<string>();
  let { flaw } = comparison.place;
  let isCounted = true;
  for (const part of parts.filter((part) => part.parentId === parentId)) {
    const found = await look(comparison, part);
    seen.push(...found.differences);
    for (const id of found.ids) ids.add(id);
    flaw ??= found.flaw;
    isCounted &&= found.isCounted;
  }
  const undecided = hasWaited ? [] : seen.filter((one) => mayBeUnderWay(comparison, one)).map(({ id }) => id);
  seen = seen.filter(({ id }) => !undecided.includes(id));
  // Of the lists of several days one shows what was moved there from another.
  const lacking = seen.flatMap(({ id, kind }) => (kind === 'extra' && !(tellsByLacking && ids.has(id)) ? id : []));
  const { why, gone, unlisted } =
    lacking.length === 0 ? NO_DOUBT : await doubt(comparison, { ids: lacking, parentId, isCounted });
  seen = seen.filter(({ id, kind }) => kind !== 'extra' || gone.includes(id));
  flaw ??= why;
  await keepPlace(comparison, {}, async (client) => {
    const dropped = await settleSuspects(client, comparison.run.batch, { parentId, seen, undecided });
    // The first look skipped one, so it may have skipped another that we do not know.
    const isSkipped = dropped.some(({ id, kind }) => kind === 'extra' && ids.has(id));
    if (tellsByLacking && isSkipped) flaw ??= 'it changed while it was read';
    const { place } = comparison;
    return {
      flaw,
      hasMoved: place.hasMoved || dropped.length > 0,
      unlisted: [...new Set([...place.unlisted, ...unlisted])],
    };
  });
}

/**
 * Why a call came to nothing, where that is all there is to say. Throws what may pass, unless it was tried often enough, and ScopeParkedError
 * where it is the whole company that refuses or fails.
 */
export async function failureOf(comparison: Comparison, error: unknown): Promise<Error> {
  const { options, place, run, isCompanyToBlame } = comparison;
  const failure = run.signal.aborted ? null : judgeFailure(error);
  if (failure?.kind === 'trouble' && (await isCompanyToBlame(failure.trouble)))
    throw new ScopeParkedError(`Procore is left alone for a while (${failure.trouble.detail})`, { cause: error });
  const isAnswer = error instanceof ProcoreResponseError && failure?.kind === 'trouble';
  // Where several lists came to nothing, those that fail are not tried again and again.
  const isLastTry = options.kept.isLastTry() || place.refused >= REFUSED_WITH_TRIES;
  return isAnswer && isLastTry ? error : flawOfAnswer(error);
}
