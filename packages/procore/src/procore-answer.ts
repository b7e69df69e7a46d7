import type { RateLimit } from './rate-limit.ts';
import type { PageLinks } from './request-path.ts';

/** JSON of an answer, gone through once. */
export type AnswerText = {
  /** Exactly as sent, complete, in UTF-8; empty for an answer to `send` that has no body, and once the answer was let go. */
  bytes: Buffer;
  /**
   * What it says: lists whole, of objects the fields that the call asked for, whole numbers as text (`readJson`). Small,
   * and there even when the answer was let go.
   */
  fields: unknown;
};

/** To be disposed of (`using`) once it is stored: until then it takes room from other answers, which wait. */
export type ProcoreAnswer = Disposable & {
  status: number;
  text: AnswerText;
  links: PageLinks;
  /** The headers Total and Per-Page. */
  total: number | null;
  perPage: number | null;
  rateLimit: RateLimit | null;
};

/** What a call is made for; the client does not read it, it hands it on to `beforeCall` and `afterCall`. */
export type CallPurpose = {
  projectId: string | null;
  /** Null: it serves no resource alone, as calls for hooks and lists of projects do. */
  resource: string | null;
  /** How urgent it is. */
  lane: 'live' | 'detail' | 'repair' | 'upkeep' | 'poll' | 'backfill' | 'verify' | 'files';
  /** The number of the run that makes it. */
  version?: string | undefined;
};
