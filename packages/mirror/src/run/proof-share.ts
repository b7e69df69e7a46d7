// The share of calls that comparisons of the schedule take: what all processes entered of the last hour, and what this one made since.
import { countLogCalls, countProofCalls, type Database, readHookCalls } from '@procore-mirror/database';
import type { ProcoreClient } from '@procore-mirror/procore';
import { ProofShareSpentError } from '../errors.ts';
import { proofCallsLeft } from '../plan/proof-share.ts';
import { createCallsLately, LATELY_MS } from './calls-lately.ts';
import type { Clock } from './clock.ts';

export type ProofShare = {
  /** How many calls the schedule may still make now for the company. */
  callsLeft: (companyId: string) => Promise<number>;
  /** The client for what the schedule does: throws ProofShareSpentError where a record or a list would go beyond the share. A list that is begun is read to its end. */
  within: (client: ProcoreClient) => ProcoreClient;
};

export function createProofShare(database: Database, clock: Clock): ProofShare {
  const { pool } = database;
  const lately = createCallsLately(clock);

  async function callsLeft(companyId: string): Promise<number> {
    const [{ hourLimit }, entered, usedByLog] = await Promise.all([
      readHookCalls(pool, companyId, 0),
      countProofCalls(pool, companyId, LATELY_MS),
      countLogCalls(pool, companyId, 0),
    ]);
    // Of all companies: where each has windows of its own it is a little careful.
    return proofCallsLeft({ used: entered + lately.count(), usedByLog, hourLimit });
  }

  async function take(companyId: string): Promise<void> {
    if ((await callsLeft(companyId)) <= 0) throw new ProofShareSpentError(SPENT);
    lately.made();
  }

  return {
    callsLeft,
    within: (client) => ({
      ...client,
      get: async (path, options) => {
        await take(options.companyId);
        return client.get(path, options);
      },
      pages: async function* (path, options) {
        await take(options.companyId);
        let isFirst = true;
        for await (const page of client.pages(path, options)) {
          if (!isFirst) lately.made();
          isFirst = false;
          yield page;
        }
      },
    }),
  };
}

const SPENT = 'the share of calls that comparisons may take by themselves is used up for now';
