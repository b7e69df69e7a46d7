export { abortable } from './abortable.ts';
export {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTokenError,
  ProcoreTooLargeError,
  ProcoreUnreachableError,
} from './errors.ts';
export { SLOW_TIMEOUT_MS } from './exchange.ts';
export { expandPath } from './expand-path.ts';
export {
  createHooksApi,
  type Hook,
  type HookChange,
  type HookDelivery,
  type HookOffer,
  type HooksApi,
  type HookTrigger,
  MOST_IN_BULK,
  triggerName,
  type WantedTrigger,
} from './hooks-api.ts';
export { parseWithTextIds } from './lossless-json.ts';
export { isNumericId } from './numeric-id.ts';
export { type Bookmark, bookmark } from './page-bookmark.ts';
export type { ReadPage } from './page-ends.ts';
export type { AnsweredSize } from './page-sizes.ts';
export type { AnswerText, CallPurpose, ProcoreAnswer } from './procore-answer.ts';
export { createProcoreClient, type ProcoreClient } from './procore-client.ts';
export type { Pause, RateLimit } from './rate-limit.ts';
export { readJson } from './read-json.ts';
export type { RetryPolicy } from './retry.ts';
export { meaningOf } from './status-meaning.ts';
export { type ParsedWebhookEvent, type ProcoreEvent, parseWebhookEvent } from './webhook-event.ts';
