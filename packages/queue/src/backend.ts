import type { BackendFactory, IQueueBackend } from 'bullmq';
import type { SealedEnvelope } from './envelope.ts';

/** A place where BullMQ can keep a queue, connected and checked. */
export type Backend = {
  createBackend: BackendFactory<IQueueBackend, unknown>;
  queueName: string;
  /** Keeps apart what different namespaces have in one Redis. */
  prefix: string;
  /** Where an envelope is put down before a job is made of it; null where many jobs can be made at once, and cheaply. */
  landing: Landing | null;
  skipVersionCheck: boolean;
  /** Lets go of the server within about a second, whatever state the connections are in. */
  close: () => Promise<void>;
};

export type Landing = {
  /** Resolves once all of them are durable. */
  put: (envelopes: readonly SealedEnvelope[]) => Promise<void>;
  /** Envelopes that lie here. */
  count: () => Promise<number>;
  /** Adds what comes here, and removes each envelope after that; `onError` hears of what is tried again. */
  startMoving: (options: {
    add: (envelope: SealedEnvelope) => Promise<unknown>;
    onError: (error: unknown) => void;
  }) => {
    /** Waits for what is under way, for as long as that takes. */
    close: () => Promise<void>;
  };
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
