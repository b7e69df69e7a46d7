// Each request for a fill asks a project once which of its tools are on, however many resources it is for.
import type { BatchKey } from '@procore-mirror/database';
import type { FetchSettings } from '../run/fetch-settings.ts';
import { findOff } from './survey-project.ts';

export type AskedTools = {
  /** Is the tool of the resource surely off there? Throws what is no answer. */
  isOff: (fill: BatchKey & { request: string }, signal: AbortSignal) => Promise<boolean>;
};

const MOST_REMEMBERED = 1000;

/** One for each process: another one asks by itself. */
export function createAskedTools({ client, catalogue }: Pick<FetchSettings, 'client' | 'catalogue'>): AskedTools {
  const known = new Map<string, ReadonlySet<string>>();
  return {
    isOff: async ({ companyId, projectId, resource, request }, signal) => {
      if (projectId === null) return false;
      const key = `${request}/${companyId}/${projectId}`;
      const off = known.get(key) ?? (await findOff(client, { companyId, projectId, signal, catalogue }));
      known.set(key, off);
      for (const [oldest] of known) {
        if (known.size <= MOST_REMEMBERED) break;
        known.delete(oldest);
      }
      return off.has(resource);
    },
  };
}
