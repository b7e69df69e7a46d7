// A comparison while the company works: before each of Procore's answers people edit, events arrive late, and the worker fetches. Some edits
// are told of by no event: those that were made before the comparison began it has to name, and nothing else.
import assert from 'node:assert/strict';
import { type Difference, listDifferences } from '@procore-mirror/database';
import { createProcoreClient } from '@procore-mirror/procore';
import fc from 'fast-check';
import { backfillResource } from '../backfill-resource.ts';
import type { Compared } from '../compare/comparison.ts';
import { compareResource } from '../compare-resource.ts';
import { createNeighbours } from '../run/neighbours.ts';
import type { ScriptedProcore, TestMirror } from './test-mirror.ts';

type Act =
  | { kind: 'create' | 'update' | 'delete' | 'restore'; pick: number; tells: boolean; delay: number }
  /** The worker fetches what it heard of. */
  | { kind: 'fetch' };

type Interleaving = {
  resource: 'Locations' | 'RFIs' | 'Forms';
  rung: 'listing' | 'bin';
  size: number;
  before: Act[];
  during: Act[][];
};

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('create' as const, 'update' as const, 'delete' as const, 'restore' as const),
    pick: fc.nat(99),
    tells: fc.boolean(),
    delay: fc.nat(4),
  }),
  fc.constant({ kind: 'fetch' as const }),
);

const acts = {
  size: fc.nat(25),
  before: fc.array(act, { maxLength: 8 }),
  during: fc.array(fc.array(act, { maxLength: 3 }), { maxLength: 10 }),
};

/** A whole list and a thin one. */
export const anyInterleaving: fc.Arbitrary<Interleaving> = fc.record({
  resource: fc.constantFrom('Locations' as const, 'RFIs' as const),
  rung: fc.constant('listing' as const),
  ...acts,
});

/** One without a bin, a thin one with a bin, and a whole one with a bin. */
export const anyClimb: fc.Arbitrary<Interleaving> = fc.record({
  resource: fc.constantFrom('Locations' as const, 'RFIs' as const, 'Forms' as const),
  rung: fc.constant('bin' as const),
  ...acts,
});

const PAGE = 10;
const LONG_AGO = '2020-01-01T00:00:00.000Z';

/** Plays it in a company of its own. Fails where a difference is false, or was missed. */
export async function playInterleaving(
  { mirror, procore, companyId }: { mirror: TestMirror; procore: ScriptedProcore; companyId: string },
  { resource, rung, size, before, during }: Interleaving,
): Promise<void> {
  const path = `/${resource.toLowerCase()}`;
  const world = new Map<number, number>();
  const bin = new Map<number, number>();
  const editedAt = new Map<number, string>();
  const late: { id: number; isDelete: boolean; due: number }[] = [];
  const silent = new Set<number>();
  const touched = new Set<number>();
  let step = 0;
  const nextId = counter();
  const nextVersion = counter();
  const key = { companyId, projectId: '7', resource };
  const settings = { ...mirror.settings, pageSize: PAGE };
  const shown: Set<number>[] = [];
  const begun = new Set<string>();
  let acts: Act[][] = [];
  let isComparing = false;

  const bodyOf = (id: number, isListed: boolean) => ({
    ...{ id, subject: `v${world.get(id)}`, name: `v${world.get(id)}`, updated_at: editedAt.get(id) ?? LONG_AGO },
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
    const [from, to] = one.kind === 'delete' ? [world, bin] : [bin, world];
    const id = chosen(one, one.kind === 'update' ? world : from) ?? nextId();
    from.delete(id);
    to.set(id, nextVersion());
    editedAt.set(id, new Date().toISOString());
    touched.add(id);
    if (one.tells) late.push({ id, isDelete: one.kind === 'delete', due: step + one.delay });
    else silent.add(id);
  };

  const showOne = (asked: string) => {
    const id = Number(/\/(\d+)$/.exec(asked)?.[1]);
    return world.has(id) ? { body: bodyOf(id, false) } : { status: 404 };
  };
  /** What happens before a page of the comparison is answered. */
  const goOn = async (number: number, look: string) => {
    isComparing = false; // the worker's own calls are no step
    step += 1;
    // Between two looks there are seconds.
    if (number === 1 && begun.has(look)) await hear(() => true);
    if (number === 1) begun.add(look);
    if (number === 1 && look === 'list') shown.push(new Set());
    await hear(({ due }) => due <= step);
    for (const one of acts.shift() ?? []) await perform(one);
    isComparing = true;
  };
  const listPage = (asked: string, query: URLSearchParams, place: ReadonlyMap<number, number>) => {
    const wanted = query.getAll('filters[id][]').map(Number);
    const [from = '', to = ''] = query.get('filters[updated_at]')?.split('...') ?? [LONG_AGO, '9'];
    const isWithin = (id: number, at = editedAt.get(id) ?? LONG_AGO) => at >= from && at <= to;
    const all = [...place.keys()].filter((id) => (wanted.length === 0 || wanted.includes(id)) && isWithin(id));
    const [number, size] = [Number(query.get('page') ?? 1), Math.min(PAGE, Number(query.get('per_page') ?? PAGE))];
    const part = all.slice((number - 1) * size, number * size);
    if (isComparing && place === world) for (const id of part) shown.at(-1)?.add(id);
    const next = new URLSearchParams(query);
    next.set('page', String(number + 1));
    const link = `<${asked}?${next}>; rel="next"`;
    return {
      body: part.map((id) => bodyOf(id, true)),
      headers: { total: String(all.length), ...(number * size < all.length && { link }) },
    };
  };
  procore.answer = async (asked, query) => {
    if (asked.endsWith('/me')) return { body: { id: 1 } };
    const isBin = asked.includes('recycle_bin');
    if (!isBin && !asked.endsWith(path)) return showOne(asked);
    const isStep = isComparing && !query.has('filters[id][]');
    if (isStep) await goOn(Number(query.get('page') ?? 1), lookOf(isBin, query));
    return listPage(asked, query, isBin ? bin : world);
  };

  for (let count = 0; count < size; count += 1) world.set(nextId(), nextVersion());
  const quick = { signal: AbortSignal.timeout(60_000), now: new Date() };
  await backfillResource(settings, key, quick);
  for (let runs = 0; runs < 2; runs += 1) await mirror.run(resource, { companyId, lane: 'backfill' });
  await mirror.database.pool.query(
    `insert into mirror.backfills (company_id, project_id, resource, state) values ($1, 7, $2, 'done')`,
    [companyId, resource],
  );
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
    ...{ ...quick, lane: 'backfill', rung, repairs: false, buriesAll: false },
    kept: { place: null, isLastTry: () => false, keep: async () => {}, end: async () => {} },
  });
  isComparing = false;
  await client.close();
  const named = await listDifferences(mirror.database.pool, key);
  expectRight({
    compared,
    named,
    start,
    news,
    touched,
    silent,
    silentBefore,
    shown,
    seesGone: rung === 'listing' || resource !== 'Locations',
  });
  procore.answer = () => ({ status: 404 });
}

/** None for one that is made, and where there is none. */
function chosen(one: Act & { pick: number }, among: ReadonlyMap<number, number>): number | undefined {
  return one.kind === 'create' ? undefined : [...among.keys()][one.pick % among.size];
}

function lookOf(isBin: boolean, query: URLSearchParams): string {
  if (isBin) return 'bin';
  return query.get('per_page') === '1' ? 'count' : 'list';
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
  /** Else a deletion has to be told by the count. */
  seesGone: boolean;
};

function expectRight({ compared, named, start, news, touched, silent, silentBefore, shown, seesGone }: Outcome): void {
  const isFalse = ({ id }: Difference) => !silentBefore.has(Number(id)) && !silent.has(Number(id));
  assert.deepEqual(named.filter(isFalse), [], 'false differences');
  const kinds = new Map(named.map(({ id, kind }) => [Number(id), kind]));
  // A list that shifts may leave one out; then it says that it proves nothing.
  const wasToSee = (id: number, kind: Difference['kind']) =>
    kind === 'extra' ? seesGone && compared.detail === null : shown.every((look) => look.has(id));
  const missed = [...start].filter(
    ([id, kind]) => !touched.has(id) && !news.has(id) && kinds.get(id) !== kind && wasToSee(id, kind),
  );
  assert.deepEqual(missed, [], 'missed differences');
  assert.equal(compared.outcome === 'equal' && named.length > 0, false);
  const still = [...start].filter(([id]) => !touched.has(id) && !news.has(id));
  assert.equal(compared.outcome === 'equal' && still.length > 0, false, 'equal, and is not');
  const hasDifference = named.length > 0 || silentBefore.size > 0 || silent.size > 0;
  assert.equal(compared.outcome === 'differs' && !hasDifference, false, 'differs, and does not');
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
