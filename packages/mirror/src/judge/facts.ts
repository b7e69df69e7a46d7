import type { MirrorFacts, Shortage } from '@procore-mirror/database';
import type { RoundsOfUpkeep } from '../plan/rounds-of-upkeep.ts';

/** What the judge goes by: what the database tells, and what is asked beside it. */
export type Facts = MirrorFacts & {
  /** Null: it could not be asked, for this `problem`. */
  queue: { waiting: number | null; problem: string | null };
  /** The day on which the sandbox was overwritten; null: it was not, since the mirror began. */
  overwrittenOn: string | null;
  /** How long workers take to look at everything once. */
  rounds: readonly (RoundsOfUpkeep & { companyId: string })[];
  /** Of fills that are under way: calls that they may yet take, how many they made in an hour lately, and why they wait for calls; null: none is. */
  fill: { callsToGo: number; callsPerHour: number | null; shortage: Shortage | null } | null;
};
