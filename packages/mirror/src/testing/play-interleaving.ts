// A comparison while the company works: before each of Procore's answers people edit, events arrive late, and the worker fetches. Some edits
// are told of by no event: those that were made before the comparison began it has to name, and nothing else.
import assert from 'node:assert/strict';
import { type Difference, listDifferences } from '@procore-mirror/database';
import { createProcoreClient } from '@procore-mirror/procore';
import fc from 'fast-check';
import { backfillResource } from '../backfill-resource.ts';
import { type Compared, compareResource } from '../compare-resource.ts';
import { createNeighbours } from '../run/neighbours.ts';
import type { ScriptedProcore, TestMirror } from './test-mirror.ts';

type Act =
  | { kind: 'create' | 'update' | 'delete'; pick: number; tells: boolean; delay: number }
  /** The worker fetches what it heard of. */
  | { kind: 'fetch' };

type Interleaving = { resource: 'Locations' | 'RFIs'; size: number; before: Act[]; during: Act[][] };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('create' as const, 'update' as const, 'delete' as const),
    pick: fc.nat(99),
    tells: fc.boolean(),
    delay: fc.nat(4),
  }),
  fc.constant({ kind: 'fetch' as const }),
);

export const anyInterleaving: fc.Arbitrary<Interleaving> = fc.record({
  resource: fc.constantFrom('Locations' as const, 'RFIs' as const),
  size: fc.nat(25),
  before: fc.array(act, { maxLength: 8 }),
  during: fc.array(fc.array(act, { maxLength: 3 }), { maxLength: 10 }),
});

const PAGE = 10;

/** Plays it in a company of its own. Fails where a difference is false, or was missed. */
export async function playInterleaving(
  { mirror, procore, companyId }: { mirror: TestMirror; procore: ScriptedProcore; companyId: string },
  { resource, size, before, during }: Interleaving,
): Promise<void> {
  const path = resource === 'Locations' ? '/locations' : '/rfis';
  const world = new Map<number, number>();
  const late: { id: number; isDelete: boolean; due: number }[] = [];
  const silent = new Set<number>();
  const touched = new Set<number>();
  let step = 0;
  const nextId = counter();
  const nextVersion = counter();
  const key = { companyId, projectId: '7', resource };
  const settings = { ...mirror.settings, pageSize: PAGE };
  const shown: Set<number>[] = [];
  let acts: Act[][] = [];
  let isComparing = false;

  const bodyOf = (id: number, isListed: boolean) => ({
    ...{ id, subject: `v${world.get(id)}`, name: `v${world.get(id)}` },
    ...(isListed && resource === 'RFIs' ? { only_here: 1 } : { detail: id }),
  });
  const hear = async (isDue: (event: (typeof late)[number]) => boolean) => {
    for (const event of late.filter(isDue)) {
      late.splice(late.indexOf(event), 1);
      const reason = event.isDelete ? 'delete' : 'update';
      await mirror.hear(resource, [event.id], { company_id: companyId, reason });
    }
  };
  const perform = async (one: Act) => {
    if (one.kind === 'fetch') {
      for (let runs = 0; runs < 2; runs += 1) await mirror.run(resource, { companyId });
      return;
    }
    const ids = [...world.keys()];
    const id = one.kind === 'create' || ids.length === 0 ? nextId() : (ids[one.pick % ids.length] ?? 0);
    if (one.kind === 'delete') world.delete(id);
    else world.set(id, nextVersion());
    touched.add(id);
    if (one.tells) late.push({ id, isDelete: one.kind === 'delete', due: step + one.delay });
    else silent.add(id);
  };

  const showOne = (asked: string) => {
    const id = Number(/\/(\d+)$/.exec(asked)?.[1]);
    return world.has(id) ? { body: bodyOf(id, false) } : { status: 404 };
  };
  /** What happens before a page of the comparison is answered. */
  const goOn = async (number: number) => {
    isComparing = false; // the worker's own calls are no step
    step += 1;
    // Between two looks there are seconds.
    if (number === 1 && shown.length > 0) await hear(() => true);
    if (number === 1) shown.push(new Set());
    await hear(({ due }) => due <= step);
    for (const one of acts.shift() ?? []) await perform(one);
    isComparing = true;
  };
  const listPage = (asked: string, number: number, wanted: readonly number[]) => {
    const all = [...world.keys()].filter((id) => wanted.length === 0 || wanted.includes(id));
    const part = all.slice((number - 1) * PAGE, number * PAGE);
    if (isComparing) for (const id of part) shown.at(-1)?.add(id);
    const link = `<${asked}?page=${number + 1}&per_page=${PAGE}>; rel="next"`;
    return {
      body: part.map((id) => bodyOf(id, true)),
      headers: { total: String(all.length), ...(number * PAGE < all.length && { link }) },
    };
  };
  procore.answer = async (asked, query) => {
    if (asked.endsWith('/me')) return { body: { id: 1 } };
    if (!asked.endsWith(path)) return showOne(asked);
    const number = Number(query.get('page') ?? 1);
    const wanted = query.getAll('filters[id][]').map(Number);
    if (isComparing && wanted.length === 0) await goOn(number);
    return listPage(asked, number, wanted);
  };

  for (let count = 0; count < size; count += 1) world.set(nextId(), nextVersion());
  const quick = { signal: AbortSignal.timeout(60_000), now: new Date() };
  await backfillResource(settings, key, quick);
  for (let runs = 0; runs < 2; runs += 1) await mirror.run(resource, { companyId, lane: 'backfill' });
  for (const one of before) await perform(one);
  await hear(({ due }) => due <= 0);
  const start = await differencesNow(mirror, key, world);
  const news = new Set([...(await pendingOf(mirror, companyId)), ...late.map(({ id }) => id)]);
  touched.clear();
  const silentBefore = new Set(silent);
  silent.clear();
  acts = structuredClone(during);
  isComparing = true;
  // As another process: who asks the same at the same moment in one process asks together, and would wait for itself here.
  const { token } = procore;
  const own = { apiUrl: new URL(procore.url), token, refuseToken: () => {}, sleep: async () => {} };
  const client = createProcoreClient(own);
  const other = { ...settings, client, neighbours: createNeighbours() };
  const compared = await compareResource(other, key, {
    lane: 'backfill',
    ...{ ...quick, rung: 'listing', repairs: false, buriesAll: false },
    kept: { place: null, keep: async () => {}, end: async () => {} },
  });
  isComparing = false;
  await client.close();
  const named = await listDifferences(mirror.database.pool, key);
  expectRight({ compared, named, start, news, touched, silent, silentBefore, shown });
  procore.answer = () => ({ status: 404 });
}

function counter(): () => number {
  let count = 0;
  return () => {
    count += 1;
    return count;
  };
}

type Outcome = {
  compared: Compared;
  named: readonly Difference[];
  start: ReadonlyMap<number, Difference['kind']>;
  news: ReadonlySet<number>;
  touched: ReadonlySet<number>;
  silent: ReadonlySet<number>;
  silentBefore: ReadonlySet<number>;
  shown: readonly ReadonlySet<number>[];
};

function expectRight({ compared, named, start, news, touched, silent, silentBefore, shown }: Outcome): void {
  const isFalse = ({ id }: Difference) => !silentBefore.has(Number(id)) && !silent.has(Number(id));
  assert.deepEqual(named.filter(isFalse), [], 'false differences');
  const kinds = new Map(named.map(({ id, kind }) => [Number(id), kind]));
  // A list that shifts may leave one out; then it says that it proves nothing.
  const wasToSee = (id: number, kind: Difference['kind']) =>
    kind === 'extra' ? compared.detail === null : shown.every((look) => look.has(id));
  const missed = [...start].filter(
    ([id, kind]) => !touched.has(id) && !news.has(id) && kinds.get(id) !== kind && wasToSee(id, kind),
  );
  assert.deepEqual(missed, [], 'missed differences');
  assert.equal(compared.outcome === 'equal' && named.length > 0, false);
}

/** What differs before the comparison begins, whatever waits. */
async function differencesNow(
  mirror: TestMirror,
  { companyId, resource }: { companyId: string; resource: string },
  world: ReadonlyMap<number, number>,
): Promise<Map<number, Difference['kind']>> {
  const { rows } = await mirror.database.pool.query<{ id: number; subject: string }>(
    `select id::int, _data ->> 'subject' as subject from procore.${resource.toLowerCase()}
      where company_id = $1 and _deleted_at is null and _hidden_at is null`,
    [companyId],
  );
  const live = new Map(rows.map(({ id, subject }) => [id, subject]));
  const differences = new Map<number, Difference['kind']>();
  for (const [id, own] of world) {
    if (!live.has(id)) differences.set(id, 'missing');
    else if (live.get(id) !== `v${own}`) differences.set(id, 'changed');
  }
  for (const id of live.keys()) if (!world.has(id)) differences.set(id, 'extra');
  return differences;
}

async function pendingOf(mirror: TestMirror, companyId: string): Promise<number[]> {
  const { rows } = await mirror.database.pool.query<{ id: number }>(
    'select record_id::int as id from mirror.pending where company_id = $1',
    [companyId],
  );
  return rows.map(({ id }) => id);
}
