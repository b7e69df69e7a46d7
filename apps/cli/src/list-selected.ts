// What is selected, as Procore lists it now: whoever waits for the lists is told why, and soon.
import { type Database, readShortages } from '@procore-mirror/database';
import {
  judgeFailure,
  planProjects,
  type SelectedScopes,
  type selectCompany,
  selectScopes,
  shortageInWords,
} from '@procore-mirror/mirror';
import type { ProcoreClient } from '@procore-mirror/procore';
import type { Context } from './context.ts';
import { ServerUnreachableError } from './errors.ts';

/** A stumble is got over; who sits in front of it is told of an outage. */
export const PAUSES_MS: readonly number[] = [1_000, 3_000];
const SAY_AFTER_MS = 5_000;

type Options = {
  client: ProcoreClient;
  database: Database;
  companyIds: readonly string[];
  /** As in MIRROR_PROJECTS. */
  wanted: 'active' | readonly string[];
  /** Nothing is noted when left out. */
  select?: typeof selectCompany;
  /** Whose share of the calls the lists take. */
  lane: 'upkeep' | 'backfill';
};

/**
 * The companies and their selected projects; `unlisted` names companies whose projects Procore does not list. Throws
 * ServerUnreachableError where Procore answers for none.
 */
export async function listSelected(
  { output, signal }: Context,
  { client, lane, select = planProjects, ...part }: Options,
): Promise<SelectedScopes & { unlisted: readonly string[] }> {
  const { database, companyIds } = part;
  const unlisted: string[] = [];
  const listing = listingClient(client, lane);
  const waiting = setTimeout(() => {
    void readShortages(database.pool, companyIds).then(
      ([shortage]) =>
        output.note(
          shortage === undefined
            ? 'Procore is slow to list the projects'
            : `Waiting for calls: ${shortageInWords(shortage, 1, new Date())}`,
        ),
      () => {},
    );
  }, SAY_AFTER_MS);
  let waitsFor: string | null = null;
  const selected = await selectScopes({
    ...{ ...part, client: listing.client, signal, pausesMs: PAUSES_MS, select },
    say: (line) => unlisted.push(line),
    onRetry: (reason) => {
      clearTimeout(waiting);
      if (reason !== waitsFor) output.note(`Waiting for the list of projects, which is asked again: ${reason}`);
      waitsFor = reason;
    },
    note: (line) => output.note(`${line}.`),
  }).finally(() => clearTimeout(waiting));
  if (companyIds.length > 0 && unlisted.length === companyIds.length && listing.isUnanswered())
    throw new ServerUnreachableError(`Procore does not answer: ${waitsFor ?? unlisted[0]}`);
  for (const line of unlisted) output.note(line);
  return { ...selected, unlisted };
}

/** The same client; it remembers whether a list got no answer at all. */
function listingClient(
  client: ProcoreClient,
  lane: Options['lane'],
): { client: ProcoreClient; isUnanswered: () => boolean } {
  let isUnanswered = false;
  const resource = lane === 'upkeep' ? null : 'Projects'; // hooks serve no resource
  return {
    isUnanswered: () => isUnanswered,
    client: {
      ...client,
      pages: async function* (path, options) {
        try {
          yield* client.pages(path, { ...options, purpose: { projectId: null, resource, lane } });
        } catch (error) {
          const failure = judgeFailure(error);
          isUnanswered ||=
            failure?.kind === 'trouble' &&
            ['unreachable', 'slow', 'failing', 'no_token'].includes(failure.trouble.reason);
          throw error;
        }
      },
    },
  };
}
