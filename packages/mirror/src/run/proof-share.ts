// The share of calls that comparisons of the schedule take: what all processes entered of the last hour, and what this one made since.
import { countLogCalls, countProofCalls, type Database, readHookCalls } from '@procore-mirror/database';
import type { ProcoreClient } from '@procore-mirror/procore';
import { ProofShareSpentError } from '../errors.ts';
import { proofCallsLeft } from '../plan/proof-share.ts';
import type { Clock } from './clock.ts';

export type ProofShare = {
  /** How many calls the schedule may still make now for the company. */
  callsLeft: (companyId: string) => Promise<number>;
  /** The client for what the schedule does: throws ProofShareSpentError where a record or a list would go beyond the share. A list that is begun is read to its end. */
  within: (client: ProcoreClient) => ProcoreClient;
};

/** Calls of the last moments are counted here, for they are not entered yet. */
const LATELY_MS = 10_000;

export function createProofShare(database: Database, clock: Clock): ProofShare {
  const { pool } = database;
  const lately: number[] = [];
  const made = () => void lately.push(clock.now());

  async function callsLeft(companyId: string): Promise<number> {
    const [{ hourLimit }, entered, usedByLog] = await Promise.all([
      readHookCalls(pool, companyId, 0),
      countProofCalls(pool, companyId, LATELY_MS),
      countLogCalls(pool, companyId, 0),
    ]);
    while ((lately[0] ?? Number.POSITIVE_INFINITY) < clock.now() - LATELY_MS) lately.shift();
    // Of all companies: where each has windows of its own it is a little careful.
    return proofCallsLeft({ used: entered + lately.length, usedByLog, hourLimit });
  }

  async function take(companyId: string): Promise<void> {
    if ((await callsLeft(companyId)) <= 0) throw new ProofShareSpentError(SPENT);
    made();
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
          if (!isFirst) made();
          isFirst = false;
          yield page;
        }
      },
    }),
  };
}

const SPENT = 'the share of calls that comparisons may take by themselves is used up for now';
