// A listing read for nothing but what it shows, in one go, so that every id that came is known.
import { setTimeout as sleep } from 'node:timers/promises';
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { takeVersion } from '@procore-mirror/database';
import { ProcoreFormatError } from '@procore-mirror/procore';
import { isRefusal, judgeFailure } from '../plan/judge-failure.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { type Listing, readListing } from './listing.ts';
import type { ListingOptions, Page } from './listing-pages.ts';

export type Look = Listing & {
  /** Taken before the first request. */
  version: string;
  ids: ReadonlySet<string>;
};

/**
 * Reads a listing to its end and stores nothing; one that does not say how many records there are twice, to see whether it shows the same.
 * `take` gets each page of the first reading, and the number.
 */
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
  const look = { ...listing, version, ids };
  if (look.isCounted || look.flaw !== null) return look;
  await sleep(run.settings.absencePauseMs, null, { signal: run.signal });
  return { ...look, flaw: (await showsAgain(run, entry, options, ids)) ? null : 'it changed while it was read' };
}

async function showsAgain(
  run: BatchRun,
  entry: CataloguedResource,
  options: ListingOptions,
  ids: ReadonlySet<string>,
): Promise<boolean> {
  const again = new Set<string>();
  const { flaw } = await readListing(run, entry, options, async (page) => {
    for (const id of page.ids) again.add(id);
  });
  return flaw === null && again.size === ids.size && ids.isSubsetOf(again);
}

/** Why a look came to nothing, where Procore's answer says so: a list that is not found, refuses, or makes no sense. Throws what may pass. */
export function flawOfAnswer(error: unknown): Error {
  const failure = error instanceof ProcoreFormatError ? null : judgeFailure(error);
  const isAnswer = failure?.kind === 'absent' || (failure?.kind === 'trouble' && isRefusal(failure.trouble));
  if (error instanceof ProcoreFormatError || (error instanceof Error && isAnswer)) return error;
  throw error;
}
