import { judgeFailure, ScopeParkedError } from '@procore-mirror/mirror';
import { type ProcoreAnswer, type ProcoreClient, ProcoreFormatError } from '@procore-mirror/procore';
import { ConfigError, printable } from '@procore-mirror/runtime';
import { z } from 'zod';

type Company = { id: string; name: string | null };

type Options = {
  client: ProcoreClient;
  companyIds: readonly string[];
  signal: AbortSignal;
  say: (line: string) => void;
};

const PATH = '/rest/v1.0/companies?include_free_companies=true';
const MOST_NAMED = 20;

const list = z.array(z.object({ id: z.string().regex(/^\d+$/), name: z.unknown().optional() }));

/**
 * Throws a ConfigError that names the companies which the service account does not see, and those it does. Each call must name a
 * company; where that one is refused the next is asked, and where all are, nothing is known and that is said. Usually one call.
 */
export async function checkCompanies({ client, companyIds, signal, say }: Options): Promise<void> {
  let trouble = '';
  for (const companyId of companyIds) {
    const answer = await tryList(client, companyId, signal);
    if ('companies' in answer) return compare(companyIds, answer.companies);
    trouble = answer.trouble;
  }
  say(`Companies: could not be listed (${trouble}), so nobody knows whether the service account sees them`);
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

async function tryList(
  client: ProcoreClient,
  companyId: string,
  signal: AbortSignal,
): Promise<{ companies: Company[] } | { trouble: string }> {
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
    return { trouble: error.message };
  }
  return doubt === null ? { companies } : { trouble: doubt };
}

function read({ text }: ProcoreAnswer) {
  const parsed = list.safeParse(text.fields);
  if (!parsed.success)
    throw new ProcoreFormatError('the list of companies', { issues: ['it is no list of companies'] });
  const companies = parsed.data.map(({ id, name }) => ({ id, name: typeof name === 'string' ? name : null }));
  return { companies, ids: companies.map(({ id }) => id), records: companies.length, groups: companies.length };
}
