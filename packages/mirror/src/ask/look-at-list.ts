// A listing read for nothing but what it shows, in one go, so that every id that came is known.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { takeVersion } from '@procore-mirror/database';
import { ProcoreFormatError } from '@procore-mirror/procore';
import { isRefusal, judgeFailure } from '../plan/judge-failure.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { realTime } from '../run/clock.ts';
import { type Listing, readListing } from './listing.ts';
import type { ListingOptions, Page } from './listing-pages.ts';

export type Look = Listing & {
  /** Taken before the first request. */
  version: string;
  ids: ReadonlySet<string>;
};

/** Reads a listing to its end and stores nothing. `take` gets each page, and the number. */
export async function lookAtList(
  run: BatchRun,
  entry: CataloguedResource,
  options: ListingOptions,
  take: (page: Page, version: string) => Promise<unknown> = async () => {},
): Promise<Look> {
  const version = await takeVersion(run.settings.database);
  const ids = new Set<string>();
  const listing = await readListing(run, entry, options, async (page) => {
    for (const id of page.ids) ids.add(id);
    await take(page, version);
  });
  return { ...listing, version, ids };
}

/** Why a look proves nothing of what the list lacks. One that does not say how many records there are is read again: does it show the same? */
export async function flawOfLook(
  run: BatchRun,
  entry: CataloguedResource,
  options: ListingOptions,
  { ids, isCounted, flaw }: Look,
): Promise<string | null> {
  if (isCounted || flaw !== null) return flaw;
  const { settings, signal } = run;
  await (settings.clock ?? realTime).sleep(settings.absencePauseMs, signal);
  const again = await lookAtList(run, entry, options).catch(flawOfAnswer);
  if (again instanceof Error) return again.message;
  if (again.flaw !== null) return again.flaw;
  return again.ids.size === ids.size && ids.isSubsetOf(again.ids) ? null : 'it changed while it was read';
}

/** Why a look came to nothing, where Procore's answer says so: a list that is not found, refuses, or makes no sense. Throws what may pass. */
export function flawOfAnswer(error: unknown): Error {
  const failure = error instanceof ProcoreFormatError ? null : judgeFailure(error);
  const isAnswer = failure?.kind === 'absent' || (failure?.kind === 'trouble' && isRefusal(failure.trouble));
  if (error instanceof ProcoreFormatError || (error instanceof Error && isAnswer)) return error;
  throw error;
}
