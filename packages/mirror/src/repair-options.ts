import type { Database } from '@procore-mirror/database';
import type { ProcoreClient } from '@procore-mirror/procore';
import type { HandOver } from './ask/read-log.ts';
import type { Clock } from './run/clock.ts';

export type RepairLoopOptions = {
  database: Database;
  client: ProcoreClient;
  /** Adds a body to the queue of deliveries, durably. */
  handOver: HandOver;
  /** How often it looks whether deliveries were missed, ms; 0: only when somebody asks. */
  everyMs: number;
  /** Names this process in the leases. */
  holder: string;
  log: {
    debug: (about: object, message: string) => void;
    warn: (about: object, message: string) => void;
  };
  /** What time it is at Procore, ms. */
  now?: () => number;
  /** What a dead worker was at is taken over after this long, ms. */
  leaseMs?: number;
  /** How often it looks whether somebody asked, ms. */
  lookEveryMs?: number;
  /** For whoever has a time of their own. */
  clock?: Clock;
};
