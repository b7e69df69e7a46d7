// What every run needs: where Procore and the database are, and the pace of the work.
import type { Catalogue } from '@procore-mirror/catalogue';
import type { BatchKey, Database, Pace, ParkPauses, SettledNews } from '@procore-mirror/database';
import type { ProcoreClient } from '@procore-mirror/procore';
import type { Clock } from './clock.ts';
import type { DriftWatch } from './drift-watch.ts';
import type { Neighbours } from './neighbours.ts';

export type FetchSettings = Pace & {
  database: Database;
  client: ProcoreClient;
  catalogue: Catalogue;
  /** How long after a fetch did not find a record another one has to miss it, too, before that counts, ms. */
  absencePauseMs: number;
  /** An event may reach us so long after its change, ms: what changed since is no difference yet. */
  lateEventsMs: number;
  /** Records per page of a full listing (v2 pages are held to 100). */
  pageSize: number;
  parking: ParkPauses;
  /** How many rows of a resource in a scope a proof may bury at most; when left out the larger of 20 and 1 % of them. */
  deleteCap?: number | undefined;
  /** What the calls of other batches got. */
  neighbours: Neighbours;
  /** When records that were given up are tried again by themselves, counted from then, ms. */
  retryDeadLettersAfterMs?: readonly number[] | undefined;
  /** Told of each record that was given up and had no dead letter yet. */
  onDeadLetter?: ((letter: NewDeadLetter) => void) | undefined;
  /** Told of news of events that is in the rows, as their transaction is about to end. */
  onNewsSettled?: ((companyId: string, news: readonly SettledNews[]) => void) | undefined;
  random: () => number;
  /** For whoever has a time of their own. */
  clock?: Clock | undefined;
  /** A walk stops with its run, and a later run goes on with it; else a run walks as long as it takes. */
  keepsWalks?: boolean | undefined;
  /** Told of what was stored; without one nobody looks for new fields. */
  driftWatch?: DriftWatch | undefined;
};

export type NewDeadLetter = BatchKey & { id: string; recordId: string; reason: string };

/** The pace of every process of ours. */
export const usualPace: Pick<FetchSettings, 'maxWaitMs' | 'absencePauseMs' | 'lateEventsMs' | 'pageSize' | 'parking'> =
  {
    maxWaitMs: 60_000,
    absencePauseMs: 6_000,
    lateEventsMs: 120_000,
    pageSize: 1000,
    parking: { firstPauseMs: 20_000, longestPauseMs: 2 * 3_600_000 },
  };
