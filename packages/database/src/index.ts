export { learnLimits, pauseCalls, readAffordableCalls, takeCalls, type WantedCall } from './calls/budget.ts';
export {
  addFetches,
  countByRoute,
  type Fetch,
  type PastFetch,
  removeOldFetches,
  wasAnswered,
} from './calls/fetches.ts';
export {
  type ListFacts,
  type ListKey,
  noteInnocence,
  notePageSize,
  noteTotal,
  readListFacts,
  readPageSizes,
} from './calls/lists.ts';
export { readCallsGone, readShortages, type Shortage } from './calls/shortage.ts';
export { type CallWindows, readCallWindows } from './calls/windows.ts';
export { type Database, type DatabaseOptions, openDatabase, openSessions } from './connection/open-database.ts';
export type { Queryable, Transaction } from './connection/queryable.ts';
export { inTransaction } from './connection/transaction.ts';
export { takeVersion, VersionBehindError } from './connection/version-gap.ts';
export { foldCounts } from './counts/fold-counts.ts';
export { findMiscounts, haveRecounted, type Miscount } from './counts/recount.ts';
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
export { findRecorded, type MaybeRecorded } from './events/find-recorded.ts';
export {
  findFirstUse,
  forgetOldReceivers,
  isRecordingBehind,
  isRefusedFor,
  listDeafReceivers,
  noteReceiver,
  type ReceiverGap,
} from './events/receivers.ts';
export { type Lacking, type LoggedEvent, type RecordOptions, recordEvent } from './events/record-event.ts';
export {
  discardOldDeadLetters,
  FROM_THE_OLDEST,
  type RetentionPlace,
  removeOldEvents,
} from './events/retention.ts';
export { checkDatabase } from './migrate/check-database.ts';
export { doUpkeep } from './migrate/do-upkeep.ts';
export { type MigrateOptions, migrateDatabase } from './migrate/migrate-database.ts';
export { readMigrations } from './migrate/migration-ledger.ts';
export { readFunctions } from './migrate/sql-functions.ts';
export { claimUpkeep, endUpkeep, putBackUpkeep, renewUpkeep, type Upkeep } from './migrate/upkeep.ts';
export { type BackfillPart, type BackfillProgress, readBackfillProgress } from './operators/backfill-progress.ts';
export {
  type ComparedResource,
  type ComparisonProgress,
  type FoundDifference,
  listCompared,
  listFoundDifferences,
  readComparisonProgress,
} from './operators/comparison-progress.ts';
export { type DeliveryStatus, readDeliveryStatus } from './operators/delivery-status.ts';
export {
  countHeld,
  findCompaniesOf,
  forgetPlace,
  type Held,
  readActive,
  readSelected,
} from './operators/forget-place.ts';
export {
  isMentioned,
  listNamedResources,
  listNotedPlaces,
  listPlaces,
  listTold,
  type Place,
} from './operators/known-places.ts';
export { lookAtRights, type RightsFacts } from './operators/look-at-rights.ts';
export { lookAtServer, type ServerFacts } from './operators/look-at-server.ts';
export { listShortCompanies, type MetricFacts, readMetricFacts } from './operators/metric-facts.ts';
export {
  countToEmpty,
  emptyMirror,
  isWorkerSeen,
  noteOrigin,
  type Origin,
  readOrigin,
} from './operators/origin.ts';
export {
  type AskedProbe,
  askForProbes,
  COUNTED_AT_MOST,
  listParked,
  type ParkedDetails,
  type ProbeState,
  readProbes,
} from './operators/parked-scopes.ts';
export {
  type FactPlace,
  type FactsFilter,
  type Group,
  type MirrorFacts,
  type ProofRound,
  type ReceiverFact,
  readFacts,
} from './operators/read-facts.ts';
export { type Completeness, type Lately, readCompleteness, readLately } from './operators/read-lately.ts';
export { type Pulse, readPulse } from './operators/read-pulse.ts';
export {
  type Behind,
  type Freshness,
  type MirrorStatus,
  type ParkedScope,
  readStatus,
} from './operators/read-status.ts';
export {
  findLatestFetches,
  findRecordPlaces,
  findUnreadBodies,
  type RecordFacts,
  type RecordFetch,
  type RecordName,
  type RecordRow,
  readRecordFacts,
  type UnreadBody,
} from './operators/record-facts.ts';
export { readSecretUse, type SecretDeliveries, type SecretUse } from './operators/secret-use.ts';
export {
  type DeadLetterDetails,
  type DeadLetterSummary,
  listDeadLetters,
  showDeadLetter,
} from './operators/show-dead-letters.ts';
export {
  type EventFilter,
  type LoggedEventDetails,
  type LoggedEventSummary,
  listEvents,
  type RecordState,
  readRecordStates,
  showEvent,
} from './operators/show-events.ts';
export { readUpkeep, type UpkeepStatus } from './operators/upkeep-status.ts';
export { countPending, findPending, findPendingParent, listPendingIds } from './pending/find-pending.ts';
export { type MarkOptions, markPending, type News, type Pace } from './pending/mark-pending.ts';
export { noteBatch } from './pending/note-batch.ts';
export { placePending } from './pending/place-pending.ts';
export {
  noteFirstAbsence,
  noteListed,
  noteListsUnder,
  postponeRecords,
  postponeToDetail,
} from './pending/postpone-records.ts';
export { type SettledNews, settleRecords } from './pending/settle-records.ts';
export {
  countAllRows,
  type Days,
  findKnownUpdates,
  findLacking,
  type LackingRow,
  lockChildren,
  lockLacking,
  type Reading,
  tallyRows,
} from './rows/find-lacking.ts';
export {
  findFormerPlaces,
  findLatelyHidden,
  findLeftBehind,
  findMentions,
  findMovedAway,
  findNotHere,
  findOrphansDeletedWith,
  findProjects,
  findReturned,
  findStrayed,
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
export { countLiveRows, pickRows } from './rows/pick-rows.ts';
export { readStanding, type Standing } from './rows/read-standing.ts';
export { type Drift, noteDrift, type RecordKey, sampleFields } from './rows/schema-drift.ts';
export {
  type Answer,
  compareRecords,
  type RecordDifference,
  type StoredRecord,
  type StoreOutcome,
  storeRecords,
} from './rows/store-records.ts';
export {
  areFilledSince,
  type BackfillNews,
  type ClaimedBackfill,
  claimBackfill,
  endBackfill,
  giveBackfillBack,
  keepBackfill,
  keepBackfillParents,
  renewBackfill,
} from './schedule/backfill-leases.ts';
export {
  type EarlierFills,
  readEarlierFills,
  requestBackfills,
  requestNewProjects,
  type WantedBackfill,
} from './schedule/backfill-requests.ts';
export { listBackfilled } from './schedule/backfills.ts';
export type { Batch, BatchKey, ClaimedBatch, Lane, NotedRecord } from './schedule/batch.ts';
export {
  type ClaimOptions,
  claimBatch,
  readPauseForNews,
  releaseBatch,
  renewLease,
  rescheduleBatches,
} from './schedule/batches.ts';
export {
  type ClaimedComparison,
  type ComparisonTask,
  claimComparison,
  endComparison,
  findOpenSample,
  giveComparisonBack,
  isBegunBefore,
  keepComparison,
  type NextProofs,
  type Rung,
  renewComparison,
  requestComparisons,
  type WantedComparison,
} from './schedule/comparisons.ts';
export {
  allowLooks,
  countLogCalls,
  forgetOldLooks,
  type KnownLook,
  type LoggedHook,
  type LookNews,
  type LookPlace,
  listCompaniesToRepair,
  listLoggedCompanies,
  listSilentScopes,
  noteDeliveryLook,
  noteFailedLook,
  noteUndelivered,
  type OpenRepair,
  type ReceiverTimes,
  readLoggedHooks,
  readReceiverTimes,
  readUndelivered,
  SILENCE_MS,
  type SilentScope,
} from './schedule/delivery-looks.ts';
export { type DueLook, forgetOldAbsences, takeDueLooks } from './schedule/due-looks.ts';
export {
  bringProofsForward,
  countOpenProofs,
  countProofCalls,
  findDueProofs,
  findUnprovedTables,
  listSelectedCompanies,
  type ProofTurn,
  readOffTables,
} from './schedule/due-proofs.ts';
export { giveUpDuty, takeDuty } from './schedule/duties.ts';
export { findLackingFills, findOpenGaps, heedGaps } from './schedule/heed-gaps.ts';
export {
  type DueHook,
  findDueHooks,
  listBusyScopes,
  listLeftCompanies,
  readHookCalls,
  readProjectsState,
} from './schedule/hook-looks.ts';
export {
  type HookLapse,
  listHookPlaces,
  noteHook,
  noteHookLapse,
  noteHookTrouble,
  noteSecret,
  type RememberedHook,
  readHook,
  type SeenHook,
} from './schedule/hooks.ts';
export {
  addProof,
  type Difference,
  findCompared,
  forgetDifferences,
  isComparedNow,
  listComparedTables,
  listDifferences,
  listSuspectLists,
  listSuspects,
  type Proof,
  readProvedSince,
  settleMoved,
  settleSuspects,
  suspectDifferences,
} from './schedule/proofs.ts';
export {
  finishRepair,
  isEventKnownBefore,
  listOpenRepairs,
  noteMissedSince,
  type RepairProgress,
  readRepairProgress,
  requestRepair,
} from './schedule/repairs.ts';
export {
  askForTurn,
  endNoToken,
  forgetIdleScopes,
  giveProbeBack,
  isScopeParked,
  keepParked,
  type ParkedNow,
  type ParkPauses,
  type ParkReason,
  type ProbeAsks,
  parkForNoToken,
  parkScope,
  type Scope,
  type Trouble,
  unparkScopes,
} from './schedule/scopes.ts';
export {
  announceProjects,
  isPlaceSelected,
  noteCompanies,
  noteProjects,
  type ProjectChoice,
  readLeftAge,
  readProjects,
} from './schedule/selection.ts';
export { forgetOldWalks, keepWalk, type TakenWalk, takeWalks, takeWalksLike } from './schedule/walks.ts';
export {
  forgetOldWorkers,
  noteWorker,
  noteWorkerStopped,
  readWorkerAge,
  type ToldFinding,
  type WorkerReport,
} from './schedule/workers.ts';
export { type ColumnType, type MirroredColumn, type MirroredTable, OWN_COLUMNS } from './schema/mirrored-table.ts';
