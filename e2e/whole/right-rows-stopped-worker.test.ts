// No edit lost, no row left incomplete by a worker that was stopped beyond its lease and goes on. This story of
// `right-rows.test.ts` has a system of its own: others would have to wait for the lease, too.
import { type AppProcess, type Product, type ScriptedProcore, startScriptedProcore } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Companies, type Company, comesTo, scriptCompanies } from './scripted-company.ts';
import { type Mirror, startScriptedMirror } from './start-mirror.ts';

vi.setConfig({ testTimeout: 240_000 });

let procore: ScriptedProcore;
let companies: Companies;
let mirror: Mirror<Product>;

beforeAll(async () => {
  procore = await startScriptedProcore();
  companies = scriptCompanies(procore);
  mirror = await startScriptedMirror('postgres', procore.url);
});
afterAll(async () => {
  await mirror.close();
  await procore.close();
});

/** Calls are short, so that lists refresh rows before their shows complete them. */
const short = () => ({
  'x-rate-limit-limit': '39',
  'x-rate-limit-remaining': '39',
  'x-rate-limit-reset': String(Math.ceil(Date.now() / 1000) + 13),
});
const TWENTY = Array.from({ length: 20 }, (_, index) => index + 1);
/** How many batches a worker has done with, as far as its log tells. */
const batchesOf = (worker: AppProcess) =>
  worker.output().split(/fetched a batch|not all of a batch was fetched/).length;

function putAll(company: Company, resource: string, ids: readonly number[], state: string): void {
  for (const id of ids) {
    const listed = { id, subject: state, title: state, name: state };
    company.put(resource, { project_id: company.projects[0] }, { ...listed, description: 'whole' }, listed);
  }
}

test('what a worker brings late that was stopped beyond its lease harms no row', async () => {
  const [many, edited, restored] = [companies.found(mirror), companies.found(mirror), companies.found(mirror)];
  const all = [many, edited, restored];
  procore.intercept(
    (asked) => all.some((company) => company.asks()(asked)),
    (answer) => ({ ...answer, headers: short() }),
  );
  await mirror.system.startIngest();
  const first = await mirror.system.startWorker();
  putAll(edited, 'Submittals', [1], 'old');
  putAll(restored, 'Locations', [1], 'old');
  await edited.tell('Submittals', 1);
  await restored.tell('Locations', 1);
  for (const company of [edited, restored]) await company.endsRight();

  // Three reads that will be answered late: a list of many, a record before its edit, one that is deleted for a moment.
  putAll(many, 'RFIs', TWENTY, 'new');
  const busy = procore.hold(many.asks());
  await many.tell('RFIs', 1);
  await busy.reached;
  await Promise.all(TWENTY.map((id) => many.tell('RFIs', id)));
  await many.ready(TWENTY.length); // else fewer are fetched together, by shows, and no list is asked for
  restored.take('Locations', 1);
  const late = [many.asks(/rfis\?/), edited.asks(), restored.asks()].map((which) => procore.hold(which));
  busy.release();
  await edited.tell('Submittals', 1);
  await restored.tell('Locations', 1, { kind: 'delete' });
  await Promise.all(late.map(({ reached }) => reached));
  const before = batchesOf(first);

  const second = await mirror.system.startWorker();
  first.pause();
  putAll(restored, 'Locations', [1], 'restored');
  await restored.tell('Locations', 1);
  for (const company of all) await company.endsRight();

  // The next edit is being read, and that fails at first, when the late answers come in.
  putAll(edited, 'Submittals', [1], 'new');
  let failures = 0;
  const reading = procore.hold(edited.asks());
  const failing = procore.intercept(edited.asks(), () => {
    failures += 1;
    return { status: 502 };
  });
  await edited.tell('Submittals', 1);
  await reading.reached;
  first.resume();
  for (const { release } of late) release();
  await comesTo(() => batchesOf(first) >= before + late.length, true);
  reading.release();
  await comesTo(() => failures >= 3, true);
  failing.end();
  for (const company of all) await company.endsRight();
  expect((await mirror.database.pool.query('select reason from mirror.dead_letters')).rows).toEqual([]);
  expect([first, second].map((worker) => worker.isRunning())).toEqual([true, true]);
});
