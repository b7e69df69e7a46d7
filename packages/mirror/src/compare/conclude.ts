// The end of a comparison: its proof, and repair where it is wanted.
import {
  countAllRows,
  type Difference,
  inTransaction,
  listDifferences,
  type Transaction,
} from '@procore-mirror/database';
import { standsStill } from '../ask/compare-counts.ts';
import { deleteCap } from '../plan/delete-cap.ts';
import { counted } from '../plan/fill-in-words.ts';
import { buryUnlisted } from '../store/bury-unlisted.ts';
import { markForRepair } from '../store/mark-for-repair.ts';
import { type Compared, type Comparison, readingOf } from './comparison.ts';

/** Says what was found, and has it healed. */
export async function conclude(comparison: Comparison): Promise<Compared> {
  const { run, place, options } = comparison;
  const { settings, batch } = run;
  const { database } = settings;
  const differences = await listDifferences(database.pool, batch);
  const rows = await countAllRows(database.pool, readingOf({ run, place }));
  const count = (kind: Difference['kind']) => differences.filter((difference) => difference.kind === kind).length;
  const extra = count('extra');
  const cap = options.buriesAll ? Number.POSITIVE_INFINITY : deleteCap(rows, settings.deleteCap);
  const tooMany =
    extra > cap
      ? `${counted(extra, 'row')} that Procore lists no more: more than DELETE_CAP (${cap}) allows to bury or hide`
      : null;
  const isListed = place.rung === 'listing';
  const { outcome, why } = await verdictOf({ run, place }, differences);
  const compared: Compared = {
    rung: isListed ? 'listing' : highest(place),
    ...(isListed
      ? { ours: rows, theirs: place.theirs }
      : { ours: place.counts?.ours ?? rows, theirs: place.counts?.theirs ?? null }),
    ...{ missing: count('missing'), changed: count('changed'), extra, outcome },
    detail: [...new Set([...why, ...(options.repairs && tooMany !== null ? [tooMany] : [])])].join('; ') || null,
    calls: run.counts().calls,
  };
  await inTransaction(database, async (client) => {
    if (options.repairs) {
      const isUnlisted = ({ id }: Difference) => place.unlisted.includes(id);
      const gone = tooMany === null ? differences.filter(({ kind }) => kind === 'extra') : [];
      const wrong = differences.filter(({ kind }) => kind !== 'extra');
      await markForRepair(client, run, [...wrong, ...gone.filter(isUnlisted)]);
      await buryExtra(
        client,
        comparison,
        gone.filter((one) => !isUnlisted(one)),
      );
    }
    await options.kept.end(client, compared);
  });
  return compared;
}

function flawsOf({ flaw, flaws }: Comparison['place']): string[] {
  return flaw === null ? flaws : [...flaws, flaw];
}

function highest({ done }: Comparison['place']): Compared['rung'] {
  return (['bin', 'window'] as const).find((rung) => done.includes(rung)) ?? 'count';
}

type Verdict = Pick<Compared, 'outcome'> & {
  /** What else is to be known; of what is not proved, why. */
  why: readonly string[];
};

const COUNTED = 'equal numbers prove nothing';
const NO_WINDOW = 'its list cannot be asked for what changed, so only a whole listing proves it: verify --full';
const MOVING = 'it changed while it was counted, so only a whole listing proves it: verify --full';

/**
 * Where no record differs, below the listing a window has to say so, and no count may speak against it: it does not see what is gone. A count
 * that was right while news was under way was right by accident.
 */
async function verdictOf(
  { run, place }: Pick<Comparison, 'run' | 'place'>,
  differences: readonly Difference[],
): Promise<Verdict> {
  const { done, rung } = place;
  const counts = rung === 'listing' ? null : place.counts;
  const why = flawsOf(place);
  if (differences.length > 0 || counts?.outcome === 'differs') return { outcome: 'differs', why };
  if (why.length > 0) return { outcome: 'not proved', why };
  if (rung === 'listing') return { outcome: 'equal', why };
  if (!done.includes('window'))
    return { outcome: 'not proved', why: [run.entry.list?.filterByUpdate === true ? COUNTED : NO_WINDOW] };
  if (counts === null || counts.theirs === null) return { outcome: 'equal', why };
  const isRight = counts.theirs === counts.ours && !place.hasMoved && (await standsStill(run, counts));
  return isRight ? { outcome: 'equal', why } : { outcome: 'not proved', why: [MOVING] };
}

/** Is anything left that whole lists would tell: what is not proved though nothing failed, or numbers that what differs does not explain? */
export async function isOpen({ run, place }: Pick<Comparison, 'run' | 'place'>): Promise<boolean> {
  if (flawsOf(place).length > 0) return false;
  const differences = await listDifferences(run.settings.database.pool, run.batch);
  const { outcome } = await verdictOf({ run, place }, differences);
  if (outcome !== 'differs' || place.counts == null) return outcome === 'not proved';
  const { ours, theirs } = place.counts;
  if (theirs === null) return false;
  const gained = differences.filter(({ kind }) => kind === 'missing').length;
  const lost = differences.filter(({ kind }) => kind === 'extra').length;
  return ours + gained - lost !== theirs;
}

async function buryExtra(
  client: Transaction,
  { run, place: { since }, options: { buriesAll } }: Comparison,
  extra: readonly Difference[],
): Promise<void> {
  for (const [under, own] of Map.groupBy(extra, ({ parentId }) => parentId)) {
    const ids = own.map(({ id }) => id);
    await buryUnlisted(client, run, run.entry, { version: since, since, under, buriesAll }, ids);
  }
}
