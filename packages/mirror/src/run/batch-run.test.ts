import { catalogue } from '@procore-mirror/catalogue';
import type { Batch } from '@procore-mirror/database';
import type { ProcoreClient } from '@procore-mirror/procore';
import { expect, test } from 'vitest';
import { createRun } from './batch-run.ts';
import type { FetchSettings } from './fetch-settings.ts';
import { createNeighbours } from './neighbours.ts';
import { createRunNotes } from './run-notes.ts';

const batch: Batch = { companyId: '1', projectId: '7', resource: 'RFIs', lane: 'live' };
const aPage = { ids: ['1'], records: 1, groups: 1 };

/** A run whose calls get three pages, and what each was asked with. */
function startRun() {
  const asked: Record<string, unknown>[] = [];
  const answered: string[] = [];
  const client = {
    get: async (_: string, options: object) => void asked.push({ ...options }),
    pages: async function* (_: string, options: object) {
      asked.push({ ...options });
      yield* [aPage, aPage, aPage];
    },
  };
  const neighbours = { ...createNeighbours(), answered: ({ resource }: Batch) => void answered.push(resource) };
  // Only what a run without a database asks for.
  const settings = { client, catalogue, neighbours } as unknown as FetchSettings;
  const facts = { settings, batch, entry: catalogue.get('RFIs'), signal: AbortSignal.timeout(1000), version: '5' };
  const run = createRun(facts, createRunNotes(batch, []));
  const list = async (own: ProcoreClient, most: number) => {
    let pages = 0;
    for await (const _ of own.pages('/list', { companyId: '1', perPage: 1, read: () => aPage })) {
      pages += 1;
      if (pages === most) return;
    }
  };
  return { run, asked, answered, list };
}

test('a show is a call; who checked its answer says that it was answered', async () => {
  const { run, answered } = startRun();
  await run.settings.client.get('/show', { companyId: '1' });
  expect(run.counts()).toMatchObject({ calls: 1, answered: 0 });
  run.seeAnswer();
  expect(run.counts()).toMatchObject({ calls: 1, answered: 1 });
  expect(answered).toEqual(['RFIs']);
});

test('each page of a list is a call and an answer, as far as it is read', async () => {
  const { run, list } = startRun();
  await list(run.settings.client, 2);
  expect(run.counts()).toMatchObject({ calls: 2, answered: 2 });
  await list(run.settings.client, 9);
  expect(run.counts()).toMatchObject({ calls: 5, answered: 5 });
});

test('calls say what they are for, and take no longer than they may', async () => {
  const { run, asked, list } = startRun();
  await run.settings.client.get('/show', { companyId: '1' });
  run.limitCalls({ timeoutMs: 20 });
  run.limitCalls({ most: 5 });
  await list(run.settings.client, 1);
  const purpose = { projectId: '7', resource: 'RFIs', lane: 'live', version: '5' };
  expect(asked).toMatchObject([
    { purpose, timeoutMs: undefined },
    { purpose, timeoutMs: 20 },
  ]);
});

test('there are always calls left until somebody limits them', async () => {
  const { run } = startRun();
  await run.settings.client.get('/show', { companyId: '1' });
  expect(run.hasCallsLeft()).toBe(true);
  run.limitCalls({ most: 2 });
  expect(run.hasCallsLeft()).toBe(true);
  await run.settings.client.get('/show', { companyId: '1' });
  expect(run.hasCallsLeft()).toBe(false);
});

test('what is answered elsewhere is no answer of the place of the run; a call there is one of its calls', async () => {
  const { run, answered } = startRun();
  const there = run.elsewhere({ projectId: '8', resource: 'Submittals' });
  await there.settings.client.get('/show', { companyId: '1' });
  there.seeAnswer();
  expect(there.batch).toEqual({ ...batch, projectId: '8', resource: 'Submittals' });
  expect(run.batch).toBe(batch);
  expect(run.counts()).toMatchObject({ calls: 1, answered: 0 });
  expect(answered).toEqual(['Submittals']);
});

test('what was stored, concluded, parked and unparked adds up', () => {
  const { run } = startRun();
  const parked = {
    companyId: '1',
    projectId: null,
    resource: null,
    reason: 'failing',
    detail: 'x',
    atLeastMs: 0,
  } as const;
  run.stored(2);
  run.stored(1);
  run.absent(1);
  run.parked(parked);
  run.unparked(3);
  expect(run.counts()).toEqual({ calls: 0, answered: 0, stored: 3, absent: 1, unparked: 3, parked: [parked] });
});

test('a run that found nothing at all remembers it', () => {
  const { run } = startRun();
  expect(run.hasFoundNothing()).toBe(false);
  run.foundNothing();
  expect(run.hasFoundNothing()).toBe(true);
});
