import type { BackendFactory, IQueueBackend } from 'bullmq';

/** A place where BullMQ can keep a queue, connected and checked. */
export type Backend = {
  createBackend: BackendFactory<IQueueBackend, unknown>;
  queueName: string;
  /** Keeps apart what different namespaces have in one Redis. */
  prefix: string;
  /** Many jobs in one call cost much less than many calls. */
  isFasterInBulk: boolean;
  skipVersionCheck: boolean;
  /** Lets go of the server within about a second, whatever state the connections are in. */
  close(): Promise<void>;
};

export type BackendOptions = {
  url: string;
  namespace: string;
  allowVolatile: boolean;
  /** A producer gives up after this many milliseconds; without it (a consumer), commands wait for the server to come back. */
  timeoutMs?: number;
  openWithinMs: number;
  connections: number;
  onWarning: (message: string) => void;
  onError: (error: unknown) => void;
};
