export { type AppliedHooks, applyHooks } from './apply-hooks.ts';
export { type Backfilled, backfillResource } from './backfill-resource.ts';
export { type FetchSettings, type NewDeadLetter, usualPace } from './batch-run.ts';
export { type CallBudget, createCallBudget } from './call-budget.ts';
export { type CallCounter, createCallCounter } from './call-counter.ts';
export {
  type Catalogue,
  type CataloguedResource,
  catalogue,
  createCatalogue,
  isListedByParent,
  parentsOf,
} from './catalogue/catalogue.ts';
export type { CatalogueEntry } from './catalogue/catalogue-entry.ts';
export { loadCatalogue } from './catalogue/load-catalogue.ts';
export { chooseResources, unknownResource } from './choose-resources.ts';
export { createDriftWatch, type DriftWatch } from './drift-watch.ts';
export { CatalogueError, ScopeParkedError } from './errors.ts';
export { type BatchReport, fetchBatch } from './fetch-batch.ts';
export { heedScopes } from './heed-scopes.ts';
export { judgeFailure } from './judge-failure.ts';
export { listProjects } from './list-projects.ts';
export { lookAgain } from './look-again.ts';
export { nearestNames, probableName } from './nearest-names.ts';
export { createNeighbours } from './neighbours.ts';
export { isSelected, type Selection } from './news-of-event.ts';
export { type Recorded, recordDelivery } from './record-delivery.ts';
export { type ReceiverReport, recordReport } from './record-report.ts';
export { type Replayed, replayDeadLetters, retryDeadLetters, timeToNextTry } from './retry-dead-letters.ts';
