// Stories in which one answer seemed to decide for more than it speaks of: what is hidden, parked or given up, and by whose fault.
import { claimBatch, parkScope } from '@procore-mirror/database';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { fetchBatch } from '../fetch-batch.ts';
import { heedScopes } from '../heed-scopes.ts';
import { createNeighbours } from '../run/neighbours.ts';
import type { ScriptedProcore } from '../testing/test-mirror.ts';
import { idOf, isShow, openTestWorker, well } from '../testing/test-worker.ts';

type Scripted = ReturnType<ScriptedProcore['answer']>;

const worker = await openTestWorker();
const { procore, mirror, runs, due, query, scopes, letters } = worker;
afterAll(() => mirror.close());
beforeEach(worker.begin);

const run = (resource = 'RFIs', ...more: [scope?: object, own?: object]) => worker.run(resource, ...more);
const hidden = async (table: string) =>
  (await mirror.rows(table)).filter((row) => row.hidden === true || row.deleted === true).map(({ id }) => id);
const times = (n: number, from = 1) => Array.from({ length: n }, (_, index) => from + index);
/** What a worker would do: the claimed batch, when all records and probes are due. */
async function claimAndRun(): Promise<string | null> {
  await due();
  await query(
    `update mirror.batches set due_at = now() where due_at is not null or exists (select from mirror.pending)`,
  );
  const batch = await claimBatch(mirror.database, { holder: 'a', leaseMs: 1, mostPerCompany: 99, onlyLive: false });
  if (batch === null) return null;
  await fetchBatch(worker.settings(), batch, AbortSignal.timeout(60_000));
  return batch.resource;
}

describe('several private records among many that are well', () => {
  test('do not park the resource: those fetched last are the private ones', async () => {
    await mirror.hear('RFIs', times(5));
    await runs(1);
    await mirror.hear('RFIs', times(5, 6));
    await runs(1);
    // five of ten become private; 1 to 5 are shown as ever, and the list is, too
    procore.answer = (path) => (isShow(path) && idOf(path) > 5 ? { status: 403 } : well(path));
    await mirror.hear('RFIs', times(5, 6));
    await runs(1);
    expect(await scopes()).toEqual([]);
  });

  test('do not let news of a well one wait for hours', async () => {
    await mirror.hear('RFIs', times(5));
    await runs(1);
    await mirror.hear('RFIs', times(5, 6));
    await runs(1);
    procore.answer = (path) => (isShow(path) && idOf(path) > 5 ? { status: 403 } : well(path));
    await mirror.hear('RFIs', times(5, 6));
    await runs(1);
    // probes of an afternoon
    for (const _ of times(12)) {
      await query(`update mirror.scopes set probe_at = now(), parked_at = parked_at - interval '20 minutes'`);
      await claimAndRun();
    }
    await mirror.hear('RFIs', [1]);
    await due();
    await query(`update mirror.batches set due_at = now()`);
    const { wait = 0 } =
      (await query(`select extract(epoch from probe_at - now())::int as wait from mirror.scopes`))[0] ?? {};
    expect(wait).toBeLessThan(60);
  });

  test('one sick record becomes a dead letter though the two that were fetched last are private', async () => {
    await mirror.hear('RFIs', times(5));
    await runs(1);
    await mirror.hear('RFIs', [9, 10]);
    await runs(1);
    procore.answer = (path) => {
      if (!isShow(path)) return well(path);
      if (idOf(path) > 8) return { status: 403 };
      return idOf(path) === 3 ? { status: 422 } : well(path);
    };
    await mirror.hear('RFIs', [3]);
    await runs(15);
    expect([await letters(), await scopes()]).toEqual([[{ record_id: '3', reason: 'answer_422' }], []]);
  });
});

test('one private record alone does not keep a scope parked for ever', async () => {
  await mirror.hear('RFIs', [1]);
  procore.answer = (path) => (isShow(path) && idOf(path) < 4 ? { status: 403 } : well(path));
  const trouble = { reason: 'failing', detail: 'before', atLeastMs: 0 } as const;
  await parkScope(
    mirror.database,
    { companyId: '1', projectId: '7', resource: 'RFIs' },
    trouble,
    mirror.settings.parking,
  );
  for (const _ of times(15)) {
    await due();
    if ((await scopes()).length > 0) await run('RFIs', { isProbe: true });
    else await run();
  }
  expect([await scopes(), (await letters()).length]).toEqual([[], 1]);
});

describe('a list that is 404 while its records are shown, when calls are short', () => {
  test.each([2, 3, 4])('comes to an end with %i calls for each run', async (calls) => {
    const ids = times(5);
    await mirror.hear('Locations', ids);
    procore.answer = (path) => (path.endsWith('/locations') ? { status: 404 } : well(path));
    await query(`update mirror.budget set remaining = ${calls}, call_limit = ${calls}`);
    procore.calls = [];
    await runs(12, 'Locations');
    expect({ left: await mirror.pendingIds(), calls: procore.calls.length < 40 }).toEqual({ left: [], calls: true });
  });
});

describe('a project of which nothing is found any more, while the company is well', () => {
  test.each([3, 5])(
    'hides nothing within some minutes where a list was asked first: %i of 9 have news',
    async (count) => {
      const ids = times(9);
      await mirror.hear('Locations', ids);
      const listed = (path: string) => (path.endsWith('/locations') ? { body: ids.map((id) => ({ id })) } : well(path));
      procore.answer = listed;
      await runs(1, 'Locations');
      expect(await mirror.pendingIds()).toEqual([]);
      await mirror.hear('Locations', times(count));
      procore.answer = (path) => (path.endsWith('/me') ? well(path) : { status: 404 });
      await runs(6, 'Locations');
      expect(await hidden('locations')).toEqual([]);
    },
  );

  test('hides nothing while another project of the company goes on', async () => {
    await mirror.hear('RFIs', times(9));
    await runs(1);
    await mirror.hear('RFIs', [50], { project_id: '8' });
    await run('RFIs', { projectId: '8' });
    procore.answer = (path) => (path.includes('/projects/7/') ? { status: 404 } : well(path));
    await mirror.hear('RFIs', [1, 2, 3]);
    for (const n of times(6)) {
      await runs(1);
      await mirror.hear('RFIs', [50 + n], { project_id: '8' });
      await run('RFIs', { projectId: '8' });
    }
    expect(await hidden('rfis')).toEqual([]);
  });
});

describe('own failures', () => {
  test('of a list are none of its records', async () => {
    await mirror.hear('Locations', [9]);
    await runs(1, 'Locations');
    await mirror.hear('Locations', times(6));
    // only the list is refused: each run shows one of them in its place
    procore.answer = (path) => (path.endsWith('/locations') ? { status: 403 } : well(path));
    await runs(3, 'Locations');
    expect(await mirror.pendingIds()).toEqual(['4', '5', '6']);
    // the show of one of them meets one moment of 409: three of those make a dead letter
    procore.answer = (path) => (isShow(path) && idOf(path) === 5 ? { status: 409 } : well(path));
    await runs(1, 'Locations');
    expect(await letters()).toEqual([]);
  });

  test.each([405, 409, 422])('of an outage that ends between a record and its witness: %i', async (status) => {
    await mirror.hear('RFIs', times(4));
    await runs(1);
    await mirror.hear('RFIs', [1]);
    let isOver = false;
    procore.answer = (path) => (isOver ? well(path) : { status });
    await runs(2);
    procore.answer = (path) => {
      if (isOver) return well(path);
      isOver = true; // after one more call
      return { status };
    };
    await runs(1);
    expect(await letters()).toEqual([]);
  });
});

describe('company witnesses', () => {
  const perCompany = (answers: (companyId: string, path: string) => string) => {
    const { client } = mirror.settings;
    return {
      ...client,
      get: (path: string, options: Parameters<typeof client.get>[1]) =>
        client.get(answers(options.companyId, path), options),
      pages: (path: string, options: Parameters<typeof client.pages>[1]) =>
        client.pages(answers(options.companyId, path), options),
    };
  };
  test.each([404, 429])(
    'a third company whose /me is %i but is otherwise well is none of their trouble',
    async (status) => {
      const client = perCompany((id, path) => `/c${id}${path}`);
      procore.answer = (path) => {
        if (path.startsWith('/c3')) return path.endsWith('/me') ? { status } : well(path);
        return { status: 403 };
      };
      for (const id of ['1', '2', '3']) await mirror.hear('RFIs', [Number(id)], { company_id: id });
      await run('RFIs', { companyId: '3' }, { client });
      await mirror.hear('RFIs', [4], { company_id: '3' });
      for (const companyId of ['1', '2']) await run('RFIs', { companyId }, { client });
      expect((await scopes()).map(({ company_id }) => company_id)).not.toContain(null);
    },
  );

  test('a third company that was disconnected long ago is no witness: the fourth is well', async () => {
    const client = perCompany((id, path) => `/c${id}${path}`);
    procore.answer = (path) => (path.startsWith('/c4') ? well(path) : { status: 403 });
    for (const id of ['1', '2', '3', '4']) await mirror.hear('RFIs', [Number(id)], { company_id: id });
    const trouble = { reason: 'not_connected', detail: 'for weeks', atLeastMs: 0 } as const;
    await parkScope(
      mirror.database,
      { companyId: '3', projectId: null, resource: null },
      trouble,
      mirror.settings.parking,
    );
    await query(`update mirror.batches set served_at = now() - interval '1 minute' where company_id = 4`);
    await query(`update mirror.batches set served_at = now() - interval '1 s' where company_id = 3`);
    for (const companyId of ['1', '2']) await run('RFIs', { companyId }, { client });
    expect((await scopes()).map(({ company_id }) => company_id)).toEqual(['1', '2', '3']);
  });

  test('many batches of two companies ask a third one a few times', async () => {
    const projects = times(10, 20).map(String);
    for (const id of ['1', '2', '3'])
      for (const projectId of projects) await mirror.hear('RFIs', [1], { company_id: id, project_id: projectId });
    const client = perCompany((id, path) => `/c${id}${path}`);
    procore.answer = async (path) => {
      if (path.startsWith('/c3')) {
        return well(path);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { status: 403 };
    };
    procore.calls = [];
    await Promise.all(
      projects.flatMap((projectId) => ['1', '2'].map((companyId) => run('RFIs', { projectId, companyId }, { client }))),
    );
    expect(procore.calls.filter((path) => path.startsWith('/c3')).length).toBeLessThan(4);
  });

  test('a wide probe that meets one private record of a company that does not say who we are goes on', async () => {
    await mirror.hear('RFIs', [2, 3, 4]);
    await runs(1);
    procore.answer = (path) => (path.endsWith('/me') || idOf(path) === 1 ? { status: 403 } : well(path));
    const trouble = { reason: 'failing', detail: 'before', atLeastMs: 0 } as const;
    await parkScope(
      mirror.database,
      { companyId: '1', projectId: null, resource: null },
      trouble,
      mirror.settings.parking,
    );
    await mirror.hear('RFIs', [1]);
    await runs(5, 'RFIs', { isProbe: true, isWideProbe: true });
    expect(await scopes()).toEqual([]);
  });
});

describe('lists that lead to records and are not found for some seconds, while the records are shown', () => {
  test('find parents: a new line item is not forgotten', async () => {
    await mirror.hear('Direct Costs', [9]);
    await runs(1, 'Direct Costs');
    await query('delete from mirror.pending');
    await mirror.hear('Direct Cost Line Items', [1]);
    const item = { id: 1, holder: { id: 9 } };
    const listed = (path: string): Scripted => {
      if (path.endsWith('/direct_costs/line_items')) return { body: [item] };
      return path.endsWith('/line_items/1') ? { body: item } : well(path);
    };
    procore.answer = (path) => (path.endsWith('/direct_costs/line_items') ? { status: 404 } : listed(path));
    await runs(2, 'Direct Cost Line Items');
    procore.answer = listed;
    await runs(2, 'Direct Cost Line Items');
    expect((await mirror.rows('direct_cost_line_items')).map(({ id, hidden: isHidden }) => [id, isHidden])).toEqual([
      ['1', false],
    ]);
  });

  test.each([1, 2])('all parents: %i new children of a known parent are not hidden', async (count) => {
    await mirror.hear('Change Events', [1, 2, 3]);
    await runs(1, 'Change Events');
    await mirror.hear('Change Event Line Items', times(count, 200));
    const parent = { id: 1, change_items: [{ id: 101 }, ...times(count, 200).map((id) => ({ id }))] };
    procore.answer = (path) => {
      if (/\/change_events\/1$/.test(path)) return { body: parent };
      return path.endsWith('/change_events') ? { status: 404 } : well(path);
    };
    await runs(2, 'Change Event Line Items');
    procore.answer = (path) => (path.endsWith('/change_events') ? { body: [parent] } : well(path));
    await runs(2, 'Change Event Line Items');
    const rows = await mirror.rows('change_event_line_items');
    expect(rows.filter(({ id }) => Number(id) >= 200).map((row) => row.hidden)).toEqual(times(count).map(() => false));
  });

  test.each([1, 2])('list all: %i records of a resource without a show are not hidden', async (count) => {
    const listed = (path: string): Scripted =>
      path.endsWith('/change_types') ? { body: times(5).map((id) => ({ id })) } : well(path);
    procore.answer = listed;
    await mirror.hear('Change Types', times(5), { project_id: null });
    await runs(1, 'Change Types', { projectId: null });
    await mirror.hear('Change Types', times(count), { project_id: null });
    procore.answer = (path) => (path.endsWith('/change_types') ? { status: 404 } : listed(path));
    await runs(2, 'Change Types', { projectId: null });
    expect(await hidden('change_types')).toEqual([]);
  });
});

test('a deletion is applied at once where nothing is there any more, beside an edit of another', async () => {
  const listed = (path: string): Scripted =>
    path.endsWith('/change_types') ? { body: times(5).map((id) => ({ id })) } : well(path);
  procore.answer = listed;
  await mirror.hear('Change Types', times(5), { project_id: null });
  await runs(1, 'Change Types', { projectId: null });
  procore.answer = () => ({ status: 404 });
  await mirror.hear('Change Types', [1], { project_id: null, reason: 'delete' });
  await mirror.hear('Change Types', [2], { project_id: null });
  await runs(3, 'Change Types', { projectId: null });
  expect((await mirror.rows('change_types'))[0]).toMatchObject({ id: '1', deleted: true });
});

describe('limits', () => {
  test('one record that is answered 429 does not hold up the others of its batch, where nothing else is due', async () => {
    await mirror.hear('RFIs', times(5));
    procore.answer = (path) => (idOf(path) === 1 ? { status: 429 } : well(path));
    await runs(10);
    expect(await mirror.pendingIds()).toEqual(['1']);
  });

  test('a witness that meets a limit parks nothing', async () => {
    await mirror.hear('RFIs', [9]);
    await runs(1);
    await mirror.hear('RFIs', [1, 2, 3]);
    procore.answer = (path) => {
      if (idOf(path) === 9) return { status: 429 };
      return isShow(path) ? { status: 503 } : well(path);
    };
    await runs(1);
    expect(await scopes()).toEqual([]);
  });
});

test('two tools that are turned off park no company of a stand-in without /me and projects, whose RFIs are well', async () => {
  await mirror.hear('RFIs', times(4));
  await runs(1);
  await query('delete from mirror.pending');
  procore.answer = (path) => {
    if (path.endsWith('/me') || path.endsWith('/projects')) return { status: 404 };
    return path.includes('/rfis') ? well(path) : { status: 403 };
  };
  await mirror.hear('Locations', times(3));
  await mirror.hear('Submittals', times(3));
  for (const resource of ['Locations', 'Submittals']) await runs(2, resource);
  expect((await scopes()).filter(({ resource }) => resource === null)).toEqual([]);
});

test('one tool that is turned off parks no company that says to nobody who we are, whose RFIs are well', async () => {
  await mirror.hear('RFIs', times(4));
  await runs(1);
  procore.answer = (path) => (path.includes('/rfis') ? well(path) : { status: 403 });
  await mirror.hear('Locations', [1]);
  await run('Locations');
  expect((await scopes()).filter(({ resource }) => resource === null)).toEqual([]);
});

test('a fill that is answered 404 does not open a company of which nothing is found', async () => {
  procore.answer = () => ({ status: 404 });
  const trouble = { reason: 'failing', detail: 'nothing of it is there', atLeastMs: 0 } as const;
  await parkScope(
    mirror.database,
    { companyId: '1', projectId: null, resource: null },
    trouble,
    mirror.settings.parking,
  );
  await query(`update mirror.scopes set parked_at = now() - interval '1 hour', probe_at = now()`);
  const client = heedScopes(mirror.settings.client, {
    database: mirror.database,
    parking: mirror.settings.parking,
    patienceMs: 0,
  });
  const purpose = { projectId: '7', resource: 'RFIs', lane: 'backfill' } as const;
  await client.get('/rest/v1.0/rfis', { companyId: '1', purpose }).catch(() => null);
  expect(await scopes()).toHaveLength(1);
});

describe('askTogether', () => {
  test('who was asked in vain by one that was stopped is asked once by the others', async () => {
    const { askTogether } = createNeighbours();
    let asked = 0;
    const first = Promise.withResolvers<string>();
    const others = Array.from({ length: 12 }, () => 0);
    const own = askTogether('q', () => first.promise).catch(() => 'stopped');
    const all = others.map(() =>
      askTogether('q', async () => {
        asked += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return 'well';
      }),
    );
    first.reject(new Error('stopped'));
    await Promise.all([own, ...all]);
    expect(asked).toBe(1);
  });

  test('one that is stopped does not wait for the answer to another', async () => {
    await mirror.hear('RFIs', [1]);
    await mirror.hear('RFIs', [1], { project_id: '8' });
    const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
    procore.answer = async (path) => {
      if (!path.endsWith('/me')) return { status: 403 };
      await isOver;
      return well(path);
    };
    const stop = new AbortController();
    const settings = worker.settings();
    const one = fetchBatch(
      settings,
      { companyId: '1', projectId: '7', resource: 'RFIs', lane: 'live' },
      AbortSignal.timeout(60_000),
    );
    await expect.poll(() => procore.calls.some((path) => path.endsWith('/me'))).toBe(true);
    const shows = procore.calls.length;
    const other = fetchBatch(settings, { companyId: '1', projectId: '8', resource: 'RFIs', lane: 'live' }, stop.signal);
    await expect.poll(() => procore.calls.length).toBeGreaterThan(shows);
    await new Promise((resolve) => setTimeout(resolve, 300));
    stop.abort(new Error('stopped'));
    const ended = await Promise.race([
      other.then(
        () => 'ended',
        () => 'ended',
      ),
      new Promise((resolve) => setTimeout(() => resolve('waits'), 1500)),
    ]);
    end();
    await Promise.all([one, other.catch(() => null)]);
    expect(ended).toBe('ended');
  });

  test('a live batch does not wait for the leave of a comparison', async () => {
    await mirror.hear('RFIs', [1]);
    await mirror.hear('RFIs', [1], { project_id: '8' });
    await query(`update mirror.pending set lane = 'verify' where project_id = 7`);
    procore.answer = (path) => (path.endsWith('/me') ? well(path) : { status: 403 });
    const { promise: hasLeave, resolve: giveLeave } = Promise.withResolvers<void>();
    const { client } = mirror.settings;
    let waiting = 0;
    // as the budget does: the lane that comes last waits for the next window
    const inLanes = {
      ...client,
      get: async (path: string, options: Parameters<typeof client.get>[1]) => {
        if (options.purpose?.lane === 'verify' && path.endsWith('/me')) {
          waiting += 1;
          await hasLeave;
        }
        return client.get(path, options);
      },
    };
    const settings = { ...worker.settings(), client: inLanes };
    const signal = AbortSignal.timeout(60_000);
    const one = fetchBatch(settings, { companyId: '1', projectId: '7', resource: 'RFIs', lane: 'verify' }, signal);
    await expect.poll(() => waiting).toBe(1);
    const other = fetchBatch(settings, { companyId: '1', projectId: '8', resource: 'RFIs', lane: 'live' }, signal);
    const ended = await Promise.race([
      other.then(() => 'ended'),
      new Promise((resolve) => setTimeout(() => resolve('waits'), 3000)),
    ]);
    giveLeave();
    await Promise.all([one, other]);
    expect(ended).toBe('ended');
  });
});
