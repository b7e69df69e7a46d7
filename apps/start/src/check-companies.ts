import { setTimeout as sleep } from 'node:timers/promises';
import { judgeFailure, ScopeParkedError } from '@procore-mirror/mirror';
import {
  type ProcoreAnswer,
  type ProcoreClient,
  ProcoreFormatError,
  ProcoreResponseError,
} from '@procore-mirror/procore';
import { ConfigError, printable } from '@procore-mirror/runtime';
import { z } from 'zod';

type Company = { id: string; name: string | null };

type Options = {
  client: ProcoreClient;
  companyIds: readonly string[];
  signal: AbortSignal;
  say: (line: string) => void;
  /** Default 3 s. */
  askAgainAfterMs?: number;
};

type Answered = { companies: Company[] } | { trouble: string; areRefused: boolean };

const PATH = '/rest/v1.0/companies?include_free_companies=true';
const MOST_NAMED = 20;

const list = z.array(z.object({ id: z.string().regex(/^\d+$/), name: z.unknown().optional() }));

/**
 * Throws a ConfigError that names the companies which the service account does not see, and those it does. Each call must name a
 * company; where that one is refused the next is asked. Where each is answered 403 or 404, twice, none is seen; where there is other
 * trouble nothing is known, and that is said. Usually one call.
 */
export async function checkCompanies({ client, companyIds, signal, say, ...options }: Options): Promise<void> {
  const first = await askEach(client, companyIds, signal);
  if ('companies' in first) return compare(companyIds, first.companies);
  let { trouble, areRefused } = first;
  if (areRefused) {
    // For a moment anything may be answered so.
    await sleep(options.askAgainAfterMs ?? 3_000, undefined, { signal });
    const second = await askEach(client, companyIds, signal);
    if ('companies' in second) return compare(companyIds, second.companies);
    ({ trouble, areRefused } = second);
  }
  if (areRefused) {
    throw new ConfigError([
      `PROCORE_COMPANY_IDS: the service account does not see ${companyIds.join(', ')} (${trouble}); which companies it sees can only be asked with one of them`,
    ]);
  }
  say(`Companies: could not be listed (${trouble}), so nobody knows whether the service account sees them`);
}

async function askEach(client: ProcoreClient, companyIds: readonly string[], signal: AbortSignal): Promise<Answered> {
  let trouble = '';
  let areRefused = true;
  for (const companyId of companyIds) {
    const answer = await tryList(client, companyId, signal);
    if ('companies' in answer) return answer;
    trouble = answer.trouble;
    areRefused &&= answer.areRefused;
  }
  return { trouble, areRefused };
}

function compare(companyIds: readonly string[], seen: readonly Company[]): void {
  const known = new Set(seen.map(({ id }) => id));
  const unseen = companyIds.filter((id) => !known.has(id));
  if (unseen.length === 0) return;
  const named = seen.slice(0, MOST_NAMED).map(({ id, name }) => (name === null ? id : `${id} (${printable(name)})`));
  const more = seen.length > MOST_NAMED ? ` and ${seen.length - MOST_NAMED} more` : '';
  throw new ConfigError([
    `PROCORE_COMPANY_IDS: the service account does not see ${unseen.join(', ')}; it sees ${named.join(', ') || 'none'}${more}`,
  ]);
}

async function tryList(client: ProcoreClient, companyId: string, signal: AbortSignal): Promise<Answered> {
  const companies: Company[] = [];
  let doubt: string | null = null;
  const onDoubt = (issue: string) => {
    doubt = issue;
  };
  try {
    const how = { companyId, signal, perPage: 100, fields: new Set(['id', 'name']), read, onDoubt };
    for await (const page of client.pages(PATH, how)) companies.push(...page.companies);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error) || (judgeFailure(error) === null && !(error instanceof ScopeParkedError)))
      throw error;
    return { trouble: error.message, areRefused: isRefusal(error) };
  }
  return doubt === null ? { companies } : { trouble: doubt, areRefused: false };
}

/**
 * Procore answers so to an account that is not known in the company, and to an id that no company has
 * (docs/procore.md: What a status means).
 */
function isRefusal(error: Error): boolean {
  return error instanceof ProcoreResponseError && ['refused', 'absent'].includes(error.meaning);
}

function read({ text }: ProcoreAnswer) {
  const parsed = list.safeParse(text.fields);
  if (!parsed.success)
    throw new ProcoreFormatError('the list of companies', { issues: ['it is no list of companies'] });
  const companies = parsed.data.map(({ id, name }) => ({ id, name: typeof name === 'string' ? name : null }));
  return { companies, ids: companies.map(({ id }) => id), records: companies.length, groups: companies.length };
}
