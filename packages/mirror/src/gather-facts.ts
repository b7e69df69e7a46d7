import type { Catalogue } from '@procore-mirror/catalogue';
import {
  type BackfillProgress,
  type Database,
  type FactsFilter,
  readBackfillProgress,
  readFacts,
  readOrigin,
  readShortages,
  readUpkeep,
  type Shortage,
  type UpkeepStatus,
} from '@procore-mirror/database';
import type { Facts } from './judge/facts.ts';
import { overwrittenOn } from './plan/monthly-sandbox.ts';
import { provedByFills } from './plan/proved-by-fills.ts';
import { type RoundsOfUpkeep, roundsOfUpkeep, type UpkeepPace } from './plan/rounds-of-upkeep.ts';

export type GatheredFacts = Omit<Facts, 'queue'> & {
  rounds: readonly (UpkeepStatus & RoundsOfUpkeep)[];
  /** Of fills that are under way; null: none is. */
  backfill: (BackfillProgress & { shortage: Shortage | null }) | null;
};

type GatherOptions = {
  part: FactsFilter;
  pace: UpkeepPace;
  environment: string;
  catalogue: Pick<Catalogue, 'mirrored'>;
  now: Date;
};

/** All that the judge goes by but the queue, of the mirror or a part of it. */
export async function gatherFacts(
  { pool }: Pick<Database, 'pool'>,
  { part, pace, environment, catalogue, now }: GatherOptions,
): Promise<GatheredFacts> {
  const { companyId = null } = part;
  const upkeep = await readUpkeep(pool, companyId);
  const rounds = upkeep.map((one) => ({ ...one, ...roundsOfUpkeep(one, pace) }));
  const proofRounds = rounds.flatMap((one) =>
    one.proofsMs === null ? [] : [{ companyId: one.companyId, roundMs: one.proofsMs }],
  );
  const facts = await readFacts(pool, part, { rounds: proofRounds, shownByFills: provedByFills(catalogue) });
  const backfill = await readBackfill(pool, part, facts.toComplete.length > 0);
  return {
    ...{ ...facts, rounds, backfill, overwrittenOn: overwrittenOn(environment, await readOrigin(pool), now) },
    fill: backfill && { ...backfill, callsToGo: backfill.callsToGo + backfill.toComplete },
  };
}

async function readBackfill(
  pool: Database['pool'],
  { companyId, projectId, resource }: FactsFilter,
  hasToComplete: boolean,
): Promise<GatheredFacts['backfill']> {
  const companyIds = companyId === undefined ? undefined : [companyId];
  const progress = await readBackfillProgress(pool, { requests: null, companyIds, projectId, resource });
  if (progress.lists === progress.over && !(hasToComplete && progress.toComplete > 0)) return null;
  const [shortage = null] = await readShortages(pool, companyIds ?? null);
  return { ...progress, shortage };
}
