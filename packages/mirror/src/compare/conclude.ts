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
      ? `${counted(extra, 'row')} that Procore lists no more: more than DELETE_CAP (${cap}) allows to bury`
      : null;
  const isClimb = options.rung !== 'listing';
  const compared: Compared = {
    rung: isClimb ? highest(place) : 'listing',
    ...(isClimb
      ? { ours: place.counts?.ours ?? rows, theirs: place.counts?.theirs ?? null }
      : { ours: rows, theirs: place.theirs }),
    ...{ missing: count('missing'), changed: count('changed'), extra },
    outcome: differences.length > 0 ? 'differs' : await outcomeOf({ run, place }, isClimb),
    detail:
      [...new Set([...flawsOf(place), ...(options.repairs && tooMany !== null ? [tooMany] : [])])].join('; ') || null,
    calls: run.counts().calls,
  };
  await inTransaction(database, async (client) => {
    if (options.repairs) {
      const wrong = differences.filter(({ kind }) => kind !== 'extra');
      await markForRepair(client, run, wrong);
      if (tooMany === null) await buryExtra(client, comparison, differences);
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

/**
 * Where no record differs. Below the listing a window has to say so, and no count may speak against it: it does not see what is gone. A count
 * that was right while news was under way was right by accident.
 */
async function outcomeOf(
  { run, place }: Pick<Comparison, 'run' | 'place'>,
  isClimb: boolean,
): Promise<Compared['outcome']> {
  const { counts, done } = place;
  if (counts?.outcome === 'differs') return 'differs';
  if (flawsOf(place).length > 0) return 'not proved';
  if (!isClimb) return 'equal';
  if (!done.includes('window')) return 'not proved';
  if (counts === null || counts.theirs === null) return 'equal';
  const isRight = counts.theirs === counts.ours && !place.hasMoved && (await standsStill(run, counts));
  return isRight ? 'equal' : 'not proved';
}

async function buryExtra(
  client: Transaction,
  { run, place: { since }, options: { buriesAll } }: Comparison,
  differences: readonly Difference[],
): Promise<void> {
  const extra = differences.filter(({ kind }) => kind === 'extra');
  for (const [under, own] of Map.groupBy(extra, ({ parentId }) => parentId)) {
    const ids = own.map(({ id }) => id);
    await buryUnlisted(client, run, run.entry, { version: since, since, under, buriesAll }, ids);
  }
}
