// The backfill, by the worker that runs beside: asked for as `pnpm mirror backfill` does, and watched until it is over.
import type { Catalogue } from '@procore-mirror/catalogue';
import { type BackfillProgress, type BatchKey, type Database, listBackfilled } from '@procore-mirror/database';
import { type ProgressDisplay, requestFills, type Scope, sumsInWords, watchFills } from '@procore-mirror/mirror';
import { folded, type Terminal } from './terminal.ts';

const MOST_NAMED = 10;
const CLEAR_LINE = '\r\x1b[K';

type Options = {
  database: Database;
  catalogue: Catalogue;
  companyIds: readonly string[];
  scopes: readonly Scope[];
  /** Leave out what has been filled before. */
  continues: boolean;
  terminal: Terminal;
  signal: AbortSignal;
};

/** Resolves when everything is filled, or refused with its reason told, or the signal comes. */
export async function fill({
  database,
  catalogue,
  companyIds,
  scopes,
  terminal,
  signal,
  ...options
}: Options): Promise<void> {
  const say = (line: string) => terminal.write(`${folded(line, terminal)}\n`);
  const wanted = options.continues ? await unfilled(database, scopes) : scopes;
  const requests = await requestFills(database, { catalogue, scopes: wanted });
  if (requests.length === 0) return say('Backfill: everything is filled already');
  const display: ProgressDisplay = {
    columns: () => (terminal.isTerminal ? terminal.columns() : null),
    live: (line) => terminal.write(`${CLEAR_LINE}${line.slice(0, terminal.columns() - 1)}`),
    note: say,
  };
  const { end, progress } = await watchFills({ database, requests, companyIds, display, signal });
  if (terminal.isTerminal) terminal.write(CLEAR_LINE);
  if (end === 'no worker') throw new Error('the worker was not seen for 30 s, so nobody fills the mirror; see its log');
  if (end === 'gone')
    throw new Error('what was to be filled is there no more: somebody forgot it, or emptied the mirror');
  if (end === 'done') for (const line of filledInWords(progress)) say(line);
}

async function unfilled(database: Database, scopes: readonly Scope[]): Promise<Scope[]> {
  const filled = new Set<string>();
  for (const companyId of new Set(scopes.map((scope) => scope.companyId)))
    for (const scope of await listBackfilled(database.pool, companyId)) filled.add(keyOf(scope));
  return scopes.map(({ companyId, projectId, resources }) => ({
    ...{ companyId, projectId },
    resources: resources.filter((resource) => !filled.has(keyOf({ companyId, projectId, resource }))),
  }));
}

function keyOf({ companyId, projectId, resource }: BatchKey): string {
  return `${companyId}/${projectId ?? ''}/${resource}`;
}

function filledInWords(progress: BackfillProgress): string[] {
  const { failures, failed, toComplete } = progress;
  const more = failed - Math.min(failed, MOST_NAMED);
  return [
    ...failures
      .slice(0, MOST_NAMED)
      .map(
        ({ resource, companyId, projectId, reason }) =>
          `Not filled: ${resource} in ${projectId === null ? `company ${companyId}` : `project ${projectId}`}: ${reason}`,
      ),
    ...(more === 0 ? [] : [`Not filled: ${more} more (select * from mirror.backfills)`]),
    `Backfill: ${sumsInWords(progress)}${toComplete === 0 ? '' : `, ${toComplete} to be completed`}`,
  ];
}
