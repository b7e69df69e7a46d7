// A worker and a Procore that is well, for stories of what fails and who is to blame.
import type { FetchSettings } from '../run/fetch-settings.ts';
import { createNeighbours } from '../run/neighbours.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './test-mirror.ts';

type Rows = Record<string, unknown>[];

export type TestWorker = {
  procore: ScriptedProcore;
  mirror: TestMirror;
  /** With what this worker knows of its other calls. */
  settings: () => FetchSettings;
  run: TestMirror['run'];
  /** So many runs, each when all is due again. */
  runs: (count: number, resource?: string, scope?: Parameters<TestMirror['run']>[1]) => Promise<void>;
  due: () => Promise<void>;
  query: (sql: string) => Promise<Rows>;
  scopes: () => Promise<Rows>;
  letters: () => Promise<Rows>;
  /** Nothing of other stories is left, and all is well. */
  begin: () => Promise<void>;
  /** Its other calls were too long ago to say anything. */
  forget: () => void;
};

export const idOf = (path: string): number => Number(/\/(\d+)$/.exec(path)?.[1]);
export const isShow = (path: string): boolean => /\/\d+$/.test(path);

/** Everything is answered: shows, lists of one record, who we are. */
export function well(path: string): { body: unknown } {
  if (path.endsWith('/me')) return { body: { id: 5 } };
  const record = (id: number) => ({ id, subject: 'well', title: 'well', change_items: [{ id: id + 100 }] });
  return { body: isShow(path) ? record(idOf(path)) : [record(1)] };
}

export async function openTestWorker(): Promise<TestWorker> {
  const procore = await scriptProcore();
  const mirror = await startTestMirror(procore);
  let neighbours = createNeighbours();
  const settings = () => ({ ...mirror.settings, neighbours });
  const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
  const run: TestMirror['run'] = (resource, scope = {}, own = {}) =>
    mirror.run(resource, scope, { neighbours, ...own });
  const due = async () => {
    await query('update mirror.pending set ready_at = now(), not_before = null');
  };
  const forget = () => {
    neighbours = createNeighbours();
  };
  return {
    procore,
    mirror,
    settings,
    run,
    runs: async (count, resource = 'RFIs', scope = {}) => {
      for (let made = 0; made < count; made += 1) {
        await due();
        await run(resource, scope);
      }
    },
    due,
    query,
    scopes: () => query('select company_id, resource, reason from mirror.scopes order by company_id, resource'),
    letters: () => query('select record_id, reason from mirror.dead_letters order by record_id'),
    begin: async () => {
      await mirror.clear();
      await query(
        `update mirror.budget set remaining = 1000000, call_limit = 1000000, reset_at = now() + interval '1 hour'`,
      );
      forget();
      procore.answer = well;
      procore.calls = [];
    },
    forget,
  };
}
