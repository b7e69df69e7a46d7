// Calls fail: the record, its resource, its company, or everything? Each story is judged with what others get.
import { parkScope } from '@procore-mirror/database';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { idOf, isShow, openTestWorker, well } from '../testing/test-worker.ts';

const worker = await openTestWorker();
const { procore, mirror, runs, due, query, scopes, letters } = worker;
afterAll(() => mirror.close());
beforeEach(worker.begin);

const run = (resource = 'RFIs', ...more: [scope?: object, own?: object]) => worker.run(resource, ...more);

const statuses = [302, 403, 405, 409, 422, 500, 503];

describe('a list that answers beside shows that do not', () => {
  test.each(statuses)('is no reason to give up records that were shown before: %i', async (status) => {
    await mirror.hear('RFIs', [1, 2, 3, 4, 5, 6]);
    await runs(1);
    await mirror.hear('RFIs', [1, 2, 3]);
    procore.answer = (path) => (isShow(path) ? { status } : well(path));
    await runs(14);
    expect(await letters()).toEqual([]);
    expect(await scopes()).toMatchObject([{ company_id: '1', resource: 'RFIs' }]);
    procore.answer = well;
    await runs(2);
    expect([await mirror.pendingIds(), await scopes()]).toEqual([[], []]);
  });

  test.each([409, 422])('gives up one that has no neighbour only in the end: %i', async (status) => {
    await mirror.hear('RFIs', [1]);
    procore.answer = (path) => (isShow(path) ? { status } : well(path));
    await runs(11);
    expect(await letters()).toEqual([]);
    await runs(1);
    expect(await letters()).toEqual([{ record_id: '1', reason: `answer_${status}` }]);
  });
});

test('a list that fails before anything was answered is followed by one show, and no other call of the run', async () => {
  await mirror.hear('Locations', [1, 2, 3, 4]);
  await query(`update mirror.pending set attempts = 3 where record_id = '4'`); // it has a call of its own
  procore.answer = (path) => (isShow(path) ? well(path) : { status: 500 });
  await worker.run('Locations');
  expect(procore.calls.filter(isShow).map(idOf)).toEqual([1]);
  expect(await mirror.pendingIds()).toEqual(['2', '3', '4']);
});

describe('several sick records beside one that is shown', () => {
  test.each(statuses)('have their own pauses, and the others go on: %i', async (status) => {
    await mirror.hear('RFIs', [9]);
    await runs(1);
    await mirror.hear('RFIs', [1, 2, 3, 4, 5]);
    procore.answer = (path) => (isShow(path) && idOf(path) < 5 ? { status } : well(path));
    await runs(2);
    expect(await scopes()).toEqual([]);
    expect(await mirror.pendingIds()).toEqual(['1', '2', '3', '4']);
    expect((await mirror.rows('rfis')).map(({ id }) => id)).toEqual(['5', '9']);
  });

  test.each([500, 503])(
    'are not given up for trouble that passed, before an answer of their own: %i',
    async (status) => {
      await mirror.hear('RFIs', [9]);
      await runs(1);
      await mirror.hear('RFIs', [1]);
      procore.answer = (path) => (idOf(path) === 1 ? { status } : well(path));
      await runs(15);
      procore.answer = (path) => (idOf(path) === 1 ? { status: 422 } : well(path));
      await runs(2);
      expect(await letters()).toEqual([]);
      await runs(1);
      expect(await letters()).toEqual([{ record_id: '1', reason: 'answer_422' }]);
    },
  );

  test('are not what keeps a scope parked', async () => {
    await mirror.hear('RFIs', [9]);
    await runs(1);
    await mirror.hear('RFIs', [1]);
    procore.answer = (path) => (idOf(path) === 1 ? { status: 403 } : well(path));
    const trouble = { reason: 'failing', detail: 'before', atLeastMs: 0 } as const;
    await parkScope(
      mirror.database,
      { companyId: '1', projectId: '7', resource: 'RFIs' },
      trouble,
      mirror.settings.parking,
    );
    await run('RFIs', { isProbe: true });
    expect(await scopes()).toEqual([]);
    expect(await mirror.pendingIds()).toEqual(['1']);
  });
});

describe('a place where nothing is found any more', () => {
  const LONG = 12;
  const missing = (except: RegExp) => (path: string) => (except.test(path) ? well(path) : { status: 404 });

  test.each([404, 410])('proves nothing of any record: %i', async (status) => {
    await mirror.hear('RFIs', [1, 2]);
    await runs(1);
    await mirror.hear('Change Events', [1]);
    await runs(1, 'Change Events');
    procore.answer = () => ({ status });
    await mirror.hear('RFIs', [1]);
    await mirror.hear('Change Events', [1]);
    await mirror.hear('Change Event Line Items', [101]);
    for (const resource of ['RFIs', 'Change Events', 'Change Event Line Items']) await runs(6, resource);
    procore.answer = well;
    for (const resource of ['RFIs', 'Change Events', 'Change Event Line Items']) await runs(2, resource);
    for (const table of ['rfis', 'change_events', 'change_event_line_items']) {
      expect((await mirror.rows(table)).filter(({ hidden, deleted }) => hidden || deleted)).toEqual([]);
    }
    expect([await mirror.pendingIds(), await letters(), await scopes()]).toEqual([[], [], []]);
  });

  test('is its own trouble where the company is well, for some minutes; then its records are hidden', async () => {
    await mirror.hear('RFIs', [1, 2, 3]);
    await runs(1);
    procore.answer = missing(/\/me$/);
    await mirror.hear('RFIs', [1, 2]);
    await runs(LONG - 2);
    expect((await mirror.rows('rfis')).map(({ hidden }) => hidden)).toEqual([false, false, false]);
    await runs(6);
    expect((await mirror.rows('rfis')).map(({ hidden }) => hidden)).toEqual([true, true, false]);
  });

  test.each([/\/rfis$/, /\/rfis\/2$/, /\/me$/, /\/projects$/])(
    'is there when %s is: one record is gone',
    async (there) => {
      await mirror.hear('RFIs', there.source.includes('2') ? [1, 2] : [1]);
      await runs(1);
      procore.answer = missing(there);
      await mirror.hear('RFIs', [1]);
      await runs(2);
      expect((await mirror.rows('rfis'))[0]).toMatchObject({ id: '1', hidden: true });
    },
  );

  test('says enough of a record that was deleted', async () => {
    await mirror.hear('RFIs', [1, 2]);
    await runs(1);
    procore.answer = () => ({ status: 404 });
    await mirror.hear('RFIs', [1], { reason: 'delete' });
    await runs(1);
    expect((await mirror.rows('rfis'))[0]).toMatchObject({ id: '1', deleted: true });
  });

  test('ends a probe when it answers for others', async () => {
    await mirror.hear('RFIs', [1, 2]);
    await runs(1);
    const trouble = { reason: 'failing', detail: 'before', atLeastMs: 0 } as const;
    await parkScope(
      mirror.database,
      { companyId: '1', projectId: '7', resource: 'RFIs' },
      trouble,
      mirror.settings.parking,
    );
    await mirror.hear('RFIs', [1], { reason: 'delete' });
    procore.answer = (path) => (idOf(path) === 1 ? { status: 404 } : well(path));
    await run('RFIs', { isProbe: true });
    expect([await scopes(), await mirror.pendingIds()]).toEqual([[], []]);
  });
});

test('a list that is not found where nothing is sends none of its records to be shown alone', async () => {
  await mirror.hear('Locations', [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await runs(1, 'Locations');
  expect(await mirror.pendingIds()).not.toContain('1');
  await query(`delete from mirror.pending`);
  await mirror.hear('Locations', [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  procore.calls = [];
  procore.answer = () => ({ status: 404 });
  await run('Locations');
  expect(procore.calls.length).toBeLessThan(8);
  worker.forget(); // a few seconds later
  procore.answer = (path) => (path.endsWith('/locations') ? { status: 404 } : well(path));
  await runs(1, 'Locations');
  expect(await mirror.pendingIds()).toEqual([]);
});

test.each([1, 2])(
  'a list that was not found for a moment is asked again, not its records: %i calls',
  async (missedCalls) => {
    const ids = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    await mirror.hear('Locations', ids);
    const listed = (path: string) =>
      path.split('?')[0]?.endsWith('/locations') ? { body: ids.map((id) => ({ id })) } : well(path);
    procore.answer = listed;
    await runs(1, 'Locations');
    await mirror.hear('Locations', ids);
    procore.calls = [];
    procore.answer = (path) => (procore.calls.length <= missedCalls ? { status: 404 } : listed(path));
    await runs(1, 'Locations');
    expect(await mirror.pendingIds()).toEqual([]);
    expect(procore.calls.length).toBeLessThan(missedCalls + 4);
  },
);

test('where nothing of a company was there a moment ago, many records that are not found cost one call each', async () => {
  const projects = Array.from({ length: 12 }, (_, index) => String(20 + index));
  for (const projectId of projects) await mirror.hear('RFIs', [1], { project_id: projectId });
  procore.answer = () => ({ status: 404 });
  procore.calls = [];
  for (const projectId of projects) await run('RFIs', { projectId });
  expect(procore.calls.length).toBeLessThan(projects.length + 12);
  expect(await mirror.pendingIds()).toHaveLength(projects.length);
});

test('a company of which nothing is found is parked after two resources, and its probe stays one', async () => {
  procore.answer = () => ({ status: 404 });
  await mirror.hear('RFIs', [1, 2, 3]);
  await mirror.hear('Locations', [4, 5, 6]);
  for (const resource of ['RFIs', 'Locations']) await runs(2, resource);
  expect(await scopes()).toContainEqual({ company_id: '1', resource: null, reason: 'failing' });
  await due();
  await run('RFIs', { isProbe: true, isWideProbe: true });
  expect(
    await query(
      `select probes, probe_at > now() + interval '10 s' as is_left_alone from mirror.scopes where resource is null`,
    ),
  ).toEqual([{ probes: 1, is_left_alone: true }]);
});

describe('a company that does not say who we are', () => {
  test.each([401, 403])('is not parked when it shows others: %i', async (status) => {
    await mirror.hear('RFIs', [2]);
    await runs(1);
    await mirror.hear('RFIs', [1]);
    procore.answer = (path) => (path.endsWith('/me') || idOf(path) === 1 ? { status } : well(path));
    await runs(3);
    expect(await scopes()).toEqual([]);
  });

  test('is taken up when one of its resources answers', async () => {
    procore.answer = (path) => (path.endsWith('/me') ? { status: 403 } : well(path));
    const trouble = { reason: 'failing', detail: 'before', atLeastMs: 0 } as const;
    await parkScope(
      mirror.database,
      { companyId: '1', projectId: null, resource: null },
      trouble,
      mirror.settings.parking,
    );
    await mirror.hear('RFIs', [1]);
    await run('RFIs', { isProbe: true, isWideProbe: true });
    expect([await scopes(), await mirror.pendingIds()]).toEqual([[], []]);
  });

  test('stays not connected after a probe', async () => {
    procore.answer = () => ({ status: 403 });
    await mirror.hear('RFIs', [1]);
    await run();
    await due();
    procore.calls = [];
    await run('RFIs', { isProbe: true, isWideProbe: true });
    expect(procore.calls).toHaveLength(2);
    expect(await scopes()).toEqual([{ company_id: '1', resource: null, reason: 'not_connected' }]);
  });
});

test.each([401, 403, 500])('many that are refused at the same moment ask once who we are: %i', async (status) => {
  const projects = Array.from({ length: 12 }, (_, index) => String(20 + index));
  for (const projectId of projects) await mirror.hear('RFIs', [1], { project_id: projectId });
  procore.calls = [];
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  procore.answer = async (path) => {
    if (!path.endsWith('/me')) return { status };
    await isOver;
    return well(path);
  };
  const all = Promise.all(projects.map((projectId) => run('RFIs', { projectId })));
  await expect.poll(() => new Set(procore.calls).size, { timeout: 20_000 }).toBe(projects.length + 1);
  end();
  await all;
  expect(procore.calls.filter((path) => path.endsWith('/me')).length).toBeLessThan(projects.length);
});

test('two companies that fail park everything only where no other answers', async () => {
  const ofCompany = new Map<string, number>();
  const failing = new Set(['1', '2']);
  const { client } = mirror.settings;
  const perCompany = {
    ...client,
    get: (path: string, options: Parameters<typeof client.get>[1]) => {
      ofCompany.set(options.companyId, (ofCompany.get(options.companyId) ?? 0) + 1);
      return client.get(failing.has(options.companyId) ? `/refused${path}` : path, options);
    },
    pages: (path: string, options: Parameters<typeof client.pages>[1]) =>
      client.pages(failing.has(options.companyId) ? `/refused${path}` : path, options),
  };
  procore.answer = (path) => (path.startsWith('/refused') ? { status: 403 } : well(path));
  for (const id of ['1', '2', '3']) await mirror.hear('RFIs', [Number(id)], { company_id: id });
  for (const companyId of ['1', '2']) await run('RFIs', { companyId }, { client: perCompany });
  expect((await scopes()).map(({ company_id }) => company_id)).toEqual(['1', '2']);
  expect(ofCompany.get('3')).toBe(1);
  failing.add('3');
  await query('delete from mirror.scopes');
  await due();
  await run('RFIs', { companyId: '1' }, { client: perCompany });
  expect((await scopes()).map(({ company_id }) => company_id)).toEqual(['1', null]);
});

test('a call that meets a limit while others are answered comes last, with a pause of its own', async () => {
  await mirror.hear('RFIs', [1, 2]);
  procore.answer = (path) => (idOf(path) === 1 ? { status: 429 } : well(path));
  const pause = async () =>
    (
      await query(
        `select round(extract(epoch from not_before - now()))::int as s from mirror.pending where record_id = '1'`,
      )
    )[0]?.s;
  await run();
  expect(await pause()).toBeNull();
  await mirror.hear('Locations', [3]);
  await run('Locations');
  await due();
  await run();
  expect(await pause()).toBe(20);
  expect(await run()).toMatchObject({ stored: 1 });
  expect(await mirror.pendingIds()).toEqual(['1']);
});
