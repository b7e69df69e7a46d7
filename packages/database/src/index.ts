export { learnLimits, pauseCalls, readAffordableCalls, takeCalls, type WantedCall } from './calls/budget.ts';
export { addFetches, type Fetch, type PastFetch, removeOldFetches } from './calls/fetches.ts';
export { type ListFacts, type ListKey, notePageSize, noteTotal, readListFacts } from './calls/lists.ts';
export { type Database, type DatabaseOptions, openDatabase, openSessions } from './connection/open-database.ts';
export { inTransaction, type Transaction } from './connection/transaction.ts';
export { takeVersion, VersionBehindError } from './connection/version-gap.ts';
export { DatabaseVersionError, PoolerError } from './errors.ts';
export {
  type DeadLetterChoice,
  discardDeadLetters,
  findGivenUp,
  findUnread,
  type GivenUpRecord,
  giveUpRecords,
  keepUnreadDelivery,
  takeDueTries,
  timeToFirstTry,
} from './events/dead-letters.ts';
export { forgetOldReceivers, noteReceiver, type ReceiverGap } from './events/receivers.ts';
export { type LoggedEvent, markPending, type News, type RecordOptions, recordEvent } from './events/record-event.ts';
export { checkDatabase } from './migrate/check-database.ts';
export { doUpkeep } from './migrate/do-upkeep.ts';
export { type MigrateOptions, migrateDatabase } from './migrate/migrate-database.ts';
export { readMigrations } from './migrate/migration-ledger.ts';
export { readFunctions } from './migrate/sql-functions.ts';
export { claimUpkeep, endUpkeep, putBackUpkeep, renewUpkeep, type Upkeep } from './migrate/upkeep.ts';
export { isMentioned, listNamedResources, listPlaces, type Place } from './operators/known-places.ts';
export {
  type BackfillScope,
  type DeadLetterDetails,
  type DeadLetterSummary,
  type EventDetails,
  type EventFilter,
  type EventSummary,
  type Freshness,
  listBackfilled,
  listDeadLetters,
  listEvents,
  type MirrorStatus,
  noteBackfill,
  type ParkedScope,
  type Pulse,
  readPulse,
  readStatus,
  showDeadLetter,
  showEvent,
} from './operators/operator-queries.ts';
export {
  findFormerPlaces,
  findLatelyHidden,
  findLeftBehind,
  findMentions,
  findMovedAway,
  findOrphansDeletedWith,
  findPending,
  findPendingParent,
  findProjects,
  findReturned,
  findStrayed,
  listPendingIds,
  placePending,
} from './rows/find-relatives.ts';
export { asJsonb } from './rows/jsonb-text.ts';
export {
  countRows,
  countRowsPerDay,
  findDays,
  findGone,
  findHidden,
  findOtherCompany,
  findOtherPlaces,
  findParentIds,
  findProject,
  findWitnesses,
  isFittingId,
  listIds,
} from './rows/look-up.ts';
export { type Marked, markAbsent } from './rows/mark-absent.ts';
export { markAbsentChildren } from './rows/mark-absent-children.ts';
export { type Drift, noteDrift, type RecordKey, sampleFields } from './rows/schema-drift.ts';
export { type Answer, type StoredRecord, type StoreOutcome, storeRecords } from './rows/store-records.ts';
export type { Batch, BatchKey, ClaimedBatch, Lane, NotedRecord } from './schedule/batch.ts';
export {
  type ClaimOptions,
  claimBatch,
  countPending,
  noteBatch,
  noteFirstAbsence,
  noteListed,
  postponeRecords,
  putOff,
  readPause,
  releaseBatch,
  renewLease,
  rescheduleBatches,
  settleRecords,
} from './schedule/batches.ts';
export { type DueLook, forgetOldAbsences, takeDueLooks } from './schedule/due-looks.ts';
export {
  askForTurn,
  endNoToken,
  forgetIdleScopes,
  giveProbeBack,
  keepParked,
  type ParkedNow,
  type ParkPauses,
  type ParkReason,
  parkForNoToken,
  parkScope,
  type Scope,
  type Trouble,
  unparkScopes,
} from './schedule/scopes.ts';
export { forgetOldWalks, keepWalk, type TakenWalk, takeWalks, takeWalksLike } from './schedule/walks.ts';
export { type ColumnType, type MirroredColumn, type MirroredTable, OWN_COLUMNS } from './schema/mirrored-table.ts';
