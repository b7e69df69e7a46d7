// Which scopes a command is about: companies that are configured, and their projects, as Procore lists them.
import { type Catalogue, unknownResource } from '@procore-mirror/catalogue';
import { type Database, readShortages } from '@procore-mirror/database';
import {
  isSelected,
  judgeFailure,
  planProjects,
  type Scope,
  selectScopes,
  shortageInWords,
  withResources,
} from '@procore-mirror/mirror';
import type { ProcoreClient } from '@procore-mirror/procore';
import type { Context } from './context.ts';
import { ServerUnreachableError, UsageError } from './errors.ts';

/** A stumble is got over; who sits in front of it is told of an outage. */
const PAUSES_MS = [1_000, 3_000];
const SAY_AFTER_MS = 5_000;

type Part = {
  client: ProcoreClient;
  database: Database;
  catalogue: Catalogue;
  resources: readonly string[] | null;
  companyIds: readonly string[];
  /** As in MIRROR_PROJECTS. */
  wanted: 'active' | readonly string[];
  projectId: string | undefined;
  resource: string | undefined;
  /** In which lane projects are listed; a backfill's when left out. */
  lane?: 'backfill' | 'verify';
};

/**
 * The scopes, with the resources to fill there; `unlisted` names companies whose projects Procore does not list. Throws a UsageError for a
 * project or resource that there is not, ServerUnreachableError where Procore does not answer.
 */
export async function findScopes(
  { output, signal }: Context,
  part: Part,
): Promise<{ scopes: Scope[]; unlisted: readonly string[] }> {
  const { database, catalogue, companyIds, projectId, wanted, lane = 'backfill' } = part;
  const chosen = chooseResource(part);
  const unlisted: string[] = [];
  const say = (line: string) => {
    unlisted.push(line);
    output.note(line);
  };
  const { client, unanswered } = listingClient(part.client, lane);
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
  const { scopes: selected } = await selectScopes({
    ...{ client, database, companyIds, wanted, signal, pausesMs: PAUSES_MS, say },
    select: planProjects, // a fill of a part takes nothing from the selection
    note: (line) => output.note(`${line}.`),
  }).finally(() => clearTimeout(waiting));
  if (unlisted.length === companyIds.length && unanswered())
    throw new ServerUnreachableError(`Procore does not answer: ${unlisted[0]}`);
  const scopes = selected
    .map((scope) => withResources(scope, { catalogue, resources: chosen }))
    .filter((scope) => projectId === undefined || scope.projectId === projectId)
    .filter(({ resources }) => resources.length > 0);
  if (projectId !== undefined && scopes.length === 0 && unlisted.length === 0)
    throw new UsageError([
      `there is no active project ${projectId} that the service account sees and that is selected, or nothing of it is mirrored`,
    ]);
  return { scopes, unlisted };
}

/** Those that are configured, or the one that is asked for. Throws a UsageError for one that is not configured. */
export function companiesOf(configured: readonly string[], company: string | undefined): readonly string[] {
  if (company === undefined) return configured;
  if (configured.includes(company)) return [company];
  throw new UsageError([`company ${company} is not among PROCORE_COMPANY_IDS (${configured.join(', ')})`]);
}

/** The resources that are meant; null for all that are mirrored. */
function chooseResource({ catalogue, resource, resources }: Part): readonly string[] | null {
  if (resource === undefined) return resources;
  const problem = unknownResource(catalogue, resource);
  if (problem !== null) throw new UsageError([problem]);
  const entry = catalogue.find(resource);
  if (entry === undefined || entry.table === null || entry.list === null)
    throw new UsageError([`${resource} has no list of its own to be filled from`]);
  if (!isSelected(entry, { resources })) throw new UsageError([`${resource} is not among MIRROR_RESOURCES`]);
  return [entry.resource];
}

/** The same client; its lists are made in that lane, and it remembers whether one got no answer at all. */
function listingClient(
  client: ProcoreClient,
  lane: 'backfill' | 'verify',
): { client: ProcoreClient; unanswered: () => boolean } {
  let isUnanswered = false;
  const purpose = { projectId: null, resource: 'Projects', lane } as const;
  return {
    unanswered: () => isUnanswered,
    client: {
      ...client,
      pages: async function* (path, options) {
        try {
          yield* client.pages(path, { ...options, purpose });
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
