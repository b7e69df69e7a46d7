// A child of an unknown parent is looked for under all parents, however many: a run ends all the same, a later one goes on.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createWalks } from './parent-walk.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  procore.calls = [];
});

const CALLS_PER_RUN = 50;
const rfis = Array.from({ length: 130 }, (_, index) => index + 1);

/** RFIs 1 to 130, of which one has the replies; a listing has one page. */
function withReplies(rfiId: number, replies: readonly number[]): void {
  procore.answer = (path) => {
    if (path.endsWith('/rfis')) return { body: rfis.map((id) => ({ id })) };
    return { body: path.includes(`/rfis/${rfiId}/`) ? replies.map((id) => ({ id, plain_text_body: `${id}` })) : [] };
  };
}

async function isPending(resource: string): Promise<boolean> {
  const { rowCount } = await mirror.database.pool.query('select from mirror.pending where resource = $1', [resource]);
  return rowCount !== 0;
}

/** Runs until nothing of the resource is pending; returns how many requests each run made. */
async function runAll(resource: string, walks = createWalks()): Promise<number[]> {
  const requests: number[] = [];
  while (requests.length < 20 && (await isPending(resource))) {
    const before = procore.calls.length;
    await mirror.run(resource, {}, { walks });
    requests.push(procore.calls.length - before);
  }
  return requests;
}

const countOf = (calls: readonly string[]) =>
  [...Map.groupBy(calls, (call) => call).values()].map((same) => same.length);

test('a walk over many parents stops with its run and goes on in the next, asking for nothing twice', async () => {
  withReplies(129, [7, 8]);
  await mirror.hear('RFI Replies', [7]);
  expect(await runAll('RFI Replies')).toEqual([CALLS_PER_RUN, CALLS_PER_RUN, 30]);
  expect(Math.max(...countOf(procore.calls))).toBe(1);
  expect(await mirror.rows('rfi_replies', 'id, rfi_id')).toMatchObject([{ rfi_id: '129' }, { rfi_id: '129' }]);
  procore.calls = [];
  await mirror.hear('RFI Replies', [8]);
  await runAll('RFI Replies');
  expect(procore.calls).toHaveLength(1);
});

test('a child under no parent is hidden when all were looked through, and not before', async () => {
  withReplies(1, []);
  await mirror.hear('RFI Replies', [7]);
  const walks = createWalks();
  await mirror.run('RFI Replies', {}, { walks });
  expect(await mirror.rows('rfi_replies')).toEqual([]);
  await runAll('RFI Replies', walks);
  expect(await mirror.rows('rfi_replies')).toEqual([{ id: '7', deleted: false, hidden: true }]);
  expect(countOf(procore.calls)).toEqual(Array.from({ length: 131 }, () => 2));
});

test('news of a child makes the walk begin anew: it may have moved to where the walk has been', async () => {
  withReplies(130, [7]);
  await mirror.hear('RFI Replies', [7]);
  const walks = createWalks();
  await mirror.run('RFI Replies', {}, { walks });
  withReplies(1, [7]);
  await mirror.hear('RFI Replies', [7]);
  await runAll('RFI Replies', walks);
  expect(await mirror.rows('rfi_replies', 'id, rfi_id')).toMatchObject([{ id: '7', rfi_id: '1', hidden: false }]);
});

test('a worker that starts again, and one that remembers no walks, come to the same end', async () => {
  withReplies(129, [7]);
  await mirror.hear('RFI Replies', [7]);
  await mirror.run('RFI Replies', {}, { walks: createWalks() });
  await mirror.run('RFI Replies');
  expect(await mirror.rows('rfi_replies', 'rfi_id')).toMatchObject([{ rfi_id: '129' }]);
});

test('a request that fails is the first of the next run', async () => {
  withReplies(129, [7]);
  const answer = procore.answer;
  let isBusy = true;
  procore.answer = (path, query) => {
    if (!isBusy || !path.includes('/rfis/5/')) return answer(path, query);
    isBusy = false;
    return { status: 429, headers: { 'retry-after': '0' } };
  };
  await mirror.hear('RFI Replies', [7]);
  await runAll('RFI Replies');
  expect(procore.calls).toHaveLength(131); // the list, 129 parents, and the one that failed
  expect(await isPending('RFI Replies')).toBe(false);
});

test('parents that are listed by their own parents are looked for in as many runs as it takes, and remembered', async () => {
  procore.answer = (path, query) => {
    if (path.endsWith('/purchase_order_contracts')) return { body: rfis.map((id) => ({ id })) };
    if (path.endsWith('/work_order_contracts')) return { body: [] };
    if (path.endsWith('/rfqs'))
      return { body: query.get('contract_id') === '128' ? [{ id: 500, title: 'Steel' }] : [] };
    return path.includes('/rfqs/500/quotes') ? { body: [{ id: 7 }] } : { status: 404 };
  };
  await mirror.hear('RFQ Quotes', [7]);
  const requests = await runAll('RFQ Quotes');
  expect(requests).toHaveLength(3);
  expect(Math.max(...requests)).toBe(CALLS_PER_RUN);
  expect(await mirror.rows('rfqs', 'id, contract_id')).toMatchObject([{ id: '500', contract_id: '128' }]);
  expect(await mirror.rows('rfq_quotes', 'id, rfq_id')).toMatchObject([{ id: '7', rfq_id: '500' }]);
});

test('children inside parents that must be shown one by one are looked for in as many runs as it takes', async () => {
  procore.answer = (path) => {
    if (path.endsWith('/meetings')) return { body: [{ group_title: 'June', meetings: rfis.map((id) => ({ id })) }] };
    const id = Number(path.split('/').at(-1));
    return { body: { id, attendees: id === 120 ? [{ id: 7 }] : [] } };
  };
  await mirror.hear('Meeting Attendees', [7]);
  expect(await runAll('Meeting Attendees')).toEqual([CALLS_PER_RUN, CALLS_PER_RUN, 21]);
  expect(await mirror.rows('meeting_attendees', 'id, meeting_id')).toMatchObject([{ id: '7', meeting_id: '120' }]);
});
