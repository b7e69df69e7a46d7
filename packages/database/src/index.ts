export type { Batch, BatchKey, ClaimedBatch, Lane, NotedRecord } from './batch.ts';
export {
  type ClaimOptions,
  claimBatch,
  countPending,
  noteBatch,
  noteFirstAbsence,
  noteListed,
  postponeRecords,
  putOff,
  readRest,
  releaseBatch,
  renewLease,
  rescheduleBatches,
  settleRecords,
} from './batches.ts';
export { learnLimits, pauseCalls, readLeave, takeLeave, type WantedCall } from './budget.ts';
export { checkDatabase } from './check-database.ts';
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
} from './dead-letters.ts';
export { doUpkeep } from './do-upkeep.ts';
export { type DueLook, forgetOldAbsences, takeDueLooks } from './due-looks.ts';
export { DatabaseVersionError, PoolerError } from './errors.ts';
export { addFetches, type Fetch, type PastFetch, removeOldFetches } from './fetches.ts';
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
} from './find-relatives.ts';
export { asJsonb } from './jsonb-text.ts';
export { isMentioned, listNamedResources, listPlaces, type Place } from './known-places.ts';
export { type ListFacts, type ListKey, notePageSize, noteTotal, readListFacts } from './lists.ts';
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
} from './look-up.ts';
export { type Marked, markAbsent } from './mark-absent.ts';
export { markAbsentChildren } from './mark-absent-children.ts';
export { type MigrateOptions, migrateDatabase } from './migrate-database.ts';
export { readMigrations } from './migration-ledger.ts';
export type { ColumnType, MirroredColumn, MirroredTable } from './mirrored-table.ts';
export { type Database, type DatabaseOptions, openDatabase, openSessions } from './open-database.ts';
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
} from './operator-queries.ts';
export { forgetOldReceivers, noteReceiver, type ReceiverGap } from './receivers.ts';
export { type LoggedEvent, markPending, type News, type RecordOptions, recordEvent } from './record-event.ts';
export { type Drift, noteDrift, type RecordKey, sampleFields } from './schema-drift.ts';
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
} from './scopes.ts';
export { type Answer, type StoredRecord, type StoreOutcome, storeRecords } from './store-records.ts';
export { inTransaction, type Transaction } from './transaction.ts';
export { claimUpkeep, endUpkeep, putBackUpkeep, renewUpkeep, type Upkeep } from './upkeep.ts';
export { takeVersion, VersionBehindError } from './version-gap.ts';
export { forgetOldWalks, keepWalk, type TakenWalk, takeWalks, takeWalksLike } from './walks.ts';
