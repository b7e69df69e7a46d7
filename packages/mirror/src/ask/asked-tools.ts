// Each request for a fill asks a project once which of its tools are on, however many resources it is for.
import type { BatchKey } from '@procore-mirror/database';
import { ScopeParkedError } from '../errors.ts';
import type { FetchSettings } from '../run/fetch-settings.ts';
import { findOff } from './survey-project.ts';

export type AskedTools = {
  /** Is the tool of the resource surely off there? Where nobody answers that, its list is asked. Throws ScopeParkedError. */
  isOff: (fill: BatchKey & { request: string }, signal: AbortSignal) => Promise<boolean>;
};

const MOST_REMEMBERED = 1000;
const NONE: ReadonlySet<string> = new Set();

/** One for each process: another one asks by itself. */
export function createAskedTools({ client, catalogue }: Pick<FetchSettings, 'client' | 'catalogue'>): AskedTools {
  const known = new Map<string, ReadonlySet<string>>();

  async function ask(project: { companyId: string; projectId: string }, signal: AbortSignal) {
    try {
      return await findOff(client, { ...project, signal, catalogue });
    } catch (error) {
      if (signal.aborted || error instanceof ScopeParkedError) throw error;
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
