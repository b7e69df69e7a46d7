// A transaction that Postgres ends for a conflict is made once more from the start: what a run counts must not be.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { backfillResource } from '../backfill-resource.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from '../testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;
const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
  // At the commit, when all of its work is done. Sequences are not rolled back.
  await query(`
    create sequence attempts;
    create function fail_once() returns trigger language plpgsql as $$ begin
      if nextval('attempts') = 1 then raise exception 'on purpose' using errcode = 'serialization_failure'; end if;
      return null;
    end $$;
    create constraint trigger fail_once after insert or update on procore.rfis
      deferrable initially deferred for each row execute function fail_once()`);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  await query('alter sequence attempts restart');
});

const idOf = (path: string) => Number(path.split('/').at(-1));
const attempts = async () => Number((await query('select last_value from attempts'))[0]?.last_value);

test('a record that is shown is stored, settled and counted once', async () => {
  procore.answer = (path) => ({ body: { id: idOf(path), subject: 'x' } });
  await mirror.hear('RFIs', [1]);
  expect(await mirror.run('RFIs')).toMatchObject({ outcome: 'done', stored: 1, absent: 0 });
  expect([await mirror.pendingIds(), await attempts()]).toEqual([[], 2]);
});

test('a record that is gone is counted once', async () => {
  procore.answer = (path) => (path.endsWith('/me') ? { body: { id: 5 } } : { status: 404 });
  await mirror.hear('RFIs', [1], { reason: 'delete' });
  expect(await mirror.run('RFIs')).toMatchObject({ outcome: 'done', stored: 0, absent: 1 });
  expect([await mirror.pendingIds(), await attempts()]).toEqual([[], 2]);
});

test('what a list carries of records is counted once, and they are pending once', async () => {
  procore.answer = () => ({ body: [1, 2].map((id) => ({ id, subject: 'x' })) });
  const scope = { companyId: '1', projectId: '7', resource: 'RFIs' };
  const options = { signal: AbortSignal.timeout(30_000), now: new Date() };
  expect(await backfillResource(mirror.settings, scope, options)).toEqual({ stored: 0, pending: 2 });
  expect([await mirror.pendingIds(), await attempts()]).toEqual([['1', '2'], 3]);
});
