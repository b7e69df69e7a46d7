// Each request for a fill asks a project once which of its tools are on, however many resources it is for.
import type { BatchKey, Lane } from '@procore-mirror/database';
import { ProofShareSpentError, ScopeParkedError } from '../errors.ts';
import type { FetchSettings } from '../run/fetch-settings.ts';
import { findOff } from './survey-project.ts';

export type AskedTools = {
  /** Is the tool of the resource surely off there? Where nobody answers that, its list is asked. Throws ScopeParkedError, ProofShareSpentError. */
  isOff: (fill: BatchKey & { request: string }, signal: AbortSignal) => Promise<boolean>;
};

const MOST_REMEMBERED = 1000;
const NOT_ASKED = [ScopeParkedError, ProofShareSpentError];
const NONE: ReadonlySet<string> = new Set();

/** One for each process: another one asks by itself. */
export function createAskedTools(
  { client, catalogue }: Pick<FetchSettings, 'client' | 'catalogue'>,
  lane: Lane = 'backfill',
): AskedTools {
  const known = new Map<string, ReadonlySet<string>>();

  async function ask(project: { companyId: string; projectId: string }, signal: AbortSignal) {
    try {
      return await findOff(client, { ...project, signal, catalogue, lane });
    } catch (error) {
      if (signal.aborted || NOT_ASKED.some((kind) => error instanceof kind)) throw error;
      return NONE; // what is wrong in general, the lists will tell
    }
  }

  return {
    isOff: async ({ companyId, projectId, resource, request }, signal) => {
      if (projectId === null) return false;
      const key = `${request}/${companyId}/${projectId}`;
      const off = known.get(key) ?? (await ask({ companyId, projectId }, signal));
      known.set(key, off);
      for (const [oldest] of known) {
        if (known.size <= MOST_REMEMBERED) break;
        known.delete(oldest);
      }
      return off.has(resource);
    },
  };
}
