import { randomUUID } from 'node:crypto';
import {
  type Database,
  listLoggedCompanies,
  type RepairProgress,
  readLoggedHooks,
  requestRepair,
} from '@procore-mirror/database';
import { isNotReached, repairInShort, type WorkEnd, watchRepair } from '@procore-mirror/mirror';
import type { Command } from 'commander';
import { watchWorkers } from '../ask-workers.ts';
import type { Context } from '../context.ts';
import { ServerUnreachableError, UsageError } from '../errors.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { companyOrProjectId, past } from '../options.ts';
import { counted, table } from '../output.ts';
import type { Run } from '../run.ts';

type Options = { since?: string; company?: string; project?: string; detach?: boolean; json?: boolean };

const MOST_NAMED = 20;
const NOT_REACHED = { fix: 'ask again when it answers: what was read until then need not be read again' };

export function addRepair(parent: Command, run: Run): void {
  parent
    .command('repair')
    .description(
      "Has the workers bring in the events that Procore's log of deliveries has and the mirror lacks. May be cut off and repeated. Exit code 1 when something stayed out of reach (older than the log, refused), 3 without a worker.",
    )
    .option(
      '--since <time>',
      'read the log from this day on, and delivered events, too (the queue may have lost them)',
      past,
    )
    .option('--company <id>', 'this company only', companyOrProjectId)
    .option('--project <id>', 'this project only', companyOrProjectId)
    .option('--detach', 'return when the work is asked for')
    .option('--json', 'print the result as JSON')
    .action((options: Options) => run(options, (context) => repair(context, options)));
}

async function repair(context: Context, options: Options): Promise<ExitCode> {
  const { output, signal } = context;
  return context.withDatabase(async (database) => {
    const companyIds = await companiesOf(database, options);
    const since = options.since === undefined ? null : new Date(options.since);
    const part = { companyIds, projectId: options.project ?? null, since };
    const requests = await requestRepair(database, randomUUID(), part);
    const watched = await watchWorkers(context, {
      ...{ database, command: 'repair', detach: options.detach },
      answer: { json: { requests }, words: 'Repair: it is asked for; the workers do it' },
      watch: () => watchRepair({ database, requests, display: output, signal }),
    });
    if (watched === null) return exitCode.fine;
    const { end, progress } = watched;
    output.result(asJson({ end, requests, progress }), () => inWords(progress, end));
    return judge(watched);
  });
}

function judge({ end, progress: { unreached, olderThanLog } }: Awaited<ReturnType<typeof watchRepair>>): ExitCode {
  if (end !== 'done') return exitCode.foundSomethingWrong;
  const notReached = unreached.find(({ reason }) => isNotReached(reason));
  if (notReached !== undefined) throw new ServerUnreachableError(notReached.reason, NOT_REACHED);
  return unreached.length + olderThanLog.length === 0 ? exitCode.fine : exitCode.foundSomethingWrong;
}

/** Companies with hooks that are known, and selected: their logs can be read. */
async function companiesOf({ pool }: Database, { company, project }: Options): Promise<string[]> {
  const companyIds: string[] = [];
  for (const companyId of await listLoggedCompanies(pool)) {
    if (company !== undefined && company !== companyId) continue;
    const hooks = await readLoggedHooks(pool, companyId);
    if (hooks.some(({ projectId }) => project === undefined || projectId === project)) companyIds.push(companyId);
  }
  if (companyIds.length > 0) return companyIds;
  throw new UsageError([
    'no hook is known there, so Procore has no log to read: `pnpm mirror hooks apply` makes the hooks of what is selected',
  ]);
}

function inWords(progress: RepairProgress, end: WorkEnd): string {
  const sums = `Repair: ${repairInShort(progress)}`;
  if (end !== 'done') return `${sums}. The workers go on with it; \`pnpm mirror repair\` shows how far they are.`;
  return [unreachedInWords(progress), olderInWords(progress), sums].filter((text) => text !== '').join('\n');
}

function unreachedInWords({ unreached }: RepairProgress): string {
  if (unreached.length === 0) return '';
  const rows = unreached.slice(0, MOST_NAMED).map((hook) => [hook.companyId, hook.projectId, hook.reason]);
  const more = unreached.length > MOST_NAMED ? `\n(${unreached.length - MOST_NAMED} more: --json)` : '';
  return `${table(['company', 'project', 'log not read, because'], rows)}${more}`;
}

function olderInWords({ olderThanLog }: RepairProgress): string {
  if (olderThanLog.length === 0) return '';
  const days = olderThanLog.map(({ companyId, day }) => `${day} (company ${companyId})`).join(', ');
  return `Deliveries were missed on ${counted(olderThanLog.length, 'day')} older than the log: ${days}. Fill the tables again: \`pnpm mirror backfill\`.`;
}

function asJson(options: { end: WorkEnd; requests: readonly string[]; progress: RepairProgress }): unknown {
  const { hooks, looks, calls, found, newEvents, unread, unreached, olderThanLog } = options.progress;
  return {
    ...{ state: options.end === 'done' ? 'done' : 'under way', requests: options.requests },
    ...{ hooks, looks, calls, events_found: found, events_new: newEvents, events_unread: unread },
    unreached: [
      ...unreached.map(({ companyId, projectId, hookId, reason }) => ({
        ...{ company_id: companyId, project_id: projectId, hook_id: hookId, day: null, reason },
      })),
      ...olderThanLog.map(({ companyId, day }) => ({
        ...{ company_id: companyId, project_id: null, hook_id: null, day, reason: 'older than the log' },
      })),
    ],
  };
}
