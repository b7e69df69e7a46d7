import { type Batch, type ClaimedBatch, type ClaimOptions, claimBatch, type Database } from '@procore-mirror/database';
import { slotsOf } from './slots.ts';

/** Claims the next batch beside those in hand, so that there is room for others, whatever is due (`slots.ts`). */
export async function claimNext(
  database: Database,
  options: Pick<ClaimOptions, 'holder' | 'leaseMs'> & { inHand: readonly Batch[]; concurrency: number },
): Promise<ClaimedBatch | null> {
  const { inHand, concurrency } = options;
  const slots = slotsOf(concurrency);
  const notLive = inHand.filter(({ lane }) => lane !== 'live').length;
  const room = {
    ...{ holder: options.holder, leaseMs: options.leaseMs },
    mostPerCompany: slots.company,
    onlyLive: notLive >= slots.notLive,
  };
  const notPlaces = placesWith(inHand, slots.resourceOfCompany);
  const busy = resourcesWith(inHand, slots.resourceAtFirst);
  const claimed = await claimBatch(database, { ...room, notResources: busy, notPlaces });
  if (claimed !== null || busy.length === 0) return claimed;
  return claimBatch(database, { ...room, notResources: resourcesWith(inHand, slots.resource), notPlaces });
}

/** The resources of companies of which so many batches are in hand. */
function placesWith(inHand: readonly Batch[], count: number): Batch[] {
  const byPlace = Map.groupBy(inHand, ({ companyId, resource }) => `${companyId}/${resource}`);
  return [...byPlace.values()].filter(({ length }) => length >= count).flatMap(([batch]) => batch ?? []);
}

/** The resources of which so many batches are in hand. */
function resourcesWith(inHand: readonly Batch[], count: number): string[] {
  const byResource = Map.groupBy(inHand, ({ resource }) => resource);
  return [...byResource].filter(([, batches]) => batches.length >= count).map(([resource]) => resource);
}
