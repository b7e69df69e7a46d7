import type { RightsFacts, ServerFacts } from '@procore-mirror/database';
import { expect, test } from 'vitest';
import { diagnose } from './diagnose.ts';
import type { DoctorFacts, NamedServer, QueueFacts, ToolFacts } from './doctor-facts.ts';
import type { Facts } from './facts.ts';

const now = '2026-06-30T12:00:00.000Z';
const ago = (ms: number) => new Date(Date.parse(now) - ms).toISOString();
const HOUR = 3_600_000;
const GIGABYTE = 1_000_000_000;

const report = { version: '1', looksAfterHooks: true, login: null, procoreAheadMs: 0, aheadMs: 0 };
const worker = { holder: 'w', startedAt: ago(24 * HOUR), seenAt: ago(1_000), stoppedAt: null, report };
const receiver = {
  id: 'r',
  host: 'door',
  reportedAt: ago(9_000),
  recordedAt: ago(9_000),
  stoppedAt: null,
  spoolHolds: 0,
};

/** Of a mirror that is well but for this. */
function mirror(change: Partial<Facts> = {}): Facts {
  return {
    ...{ now, parked: [], hooks: [], unseenHooks: [], hasHooks: true, undelivered: [], olderThanLog: [] },
    ...{ unreadLogs: [], silent: [], deadLetters: [], failedFills: [], openFills: [], toComplete: [] },
    ...{ budget: { owner: null, because: null, windows: [] }, pauses: [], callsByHour: [], waitingNews: [] },
    ...{
      unproved: [],
      standing: [],
      missed: [],
      differences: [],
      receivers: [receiver],
      gaps: [],
      workers: [worker],
      rounds: [],
    },
    ...{ queue: { waiting: 0, problem: null }, overwrittenOn: null, fill: null },
    ...change,
  };
}

const facts: ServerFacts = {
  ...{ version: '18.1', versionNumber: 180_001, encoding: 'UTF8', fsync: true, fullPageWrites: true },
  ...{ synchronousCommit: 'on', isReadOnly: false, databaseBytes: 3 * GIGABYTE, dataDirectory: null },
  ...{ identity: 'one', aheadMs: 0, keepsSessions: true },
};
const server = (change: Partial<ServerFacts> = {}, variable = 'DATABASE_URL', isMirror = true): NamedServer => ({
  ...{ variable, address: 'db:5432/mirror', isMirror, facts: { ...facts, ...change }, problem: null },
});
const servers = (...all: NamedServer[]) => ({ servers: all });
const redis = (change: Partial<NonNullable<QueueFacts['redis']>> = {}, isVolatileAllowed = false) => ({
  queue: {
    ...{ variable: 'QUEUE_URL', address: 'redis:6379', isVolatileAllowed },
    redis: { versions: ['7.2.4'], problems: [], warnings: [], troubles: [], ...change },
  },
});
const reader = { mayLogIn: false, lacks: [], writes: [], seesMore: [] };
const rights = (change: Partial<RightsFacts>) => ({
  rights: { reader, writers: [], openSchemas: [], rowSecurity: [], ...change },
});
const off = { counts: { miscounts: [{ resource: 'RFIs' }, { resource: 'RFIs' }], notCompared: [] } };
const large = { counts: { miscounts: [], notCompared: ['procore.rfis'] } };
const disk = (free: number) => ({
  disks: [{ what: 'the spool', path: '/spool', problem: null, freeBytes: free * GIGABYTE, totalBytes: 100 * GIGABYTE }],
});
const company = (answer: DoctorFacts['companies'][number]['answer']) => ({
  companies: [{ companyId: '7', answer, message: 'GET /rest/v1.0/me of company 7 was answered 403' }],
});
const tool = (answer: ToolFacts['answer'], name = 'RFIs'): ToolFacts => ({
  ...{ companyId: '7', projectId: '5', tool: name, answer, resources: [name], message: 'it was answered 403' },
});

/** All is well but for this. */
function found(change: Partial<DoctorFacts> = {}): DoctorFacts {
  return {
    settings: { set: 9, problems: [], unset: [], unknown: [], contradictions: [], doubtfulSecrets: [] },
    ...{ ...servers(server()), misfit: null, otherOrigin: null, ...rights({}), counts: null, ...redis() },
    ...{ waiting: { waiting: 0, problem: null }, login: { trouble: null }, ...company('well'), tools: [tool('open')] },
    ...{
      hooks: { seen: [], scopes: 0, late: [], secret: null },
      deprecated: [],
      procoreAheadMs: 0,
      ...disk(50),
      notLooked: [],
    },
    ...change,
  };
}

test('where all is well there is nothing to find, and each check says what it saw', () => {
  const { verdict, findings, checks } = diagnose(found(), mirror());
  expect({ verdict, findings }).toEqual({ verdict: 'fine', findings: [] });
  expect(checks).toContainEqual({
    ...{ check: 'DATABASE_URL', state: 'fine' },
    detail: 'db:5432/mirror: PostgreSQL 18.1, 3 GB, forces commits to disk',
  });
  expect(checks.every(({ state }) => state === 'fine')).toBe(true);
});

test.each<[what: string, change: Partial<DoctorFacts>, told: string[]]>([
  ['Postgres 14', servers(server({ versionNumber: 140_009, version: '14.9' })), ['error server-too-old']],
  ['Postgres 15', servers(server({ versionNumber: 150_000 })), []],
  ['another encoding', servers(server({ encoding: 'LATIN1' })), ['error server-unfit']],
  ['a standby', servers(server({ isReadOnly: true })), ['error server-unfit']],
  ['fsync off', servers(server({ fsync: false })), ['error postgres-forgets']],
  ['full_page_writes off', servers(server({ fullPageWrites: false })), ['error postgres-forgets']],
  ['synchronous_commit local', servers(server({ synchronousCommit: 'local' })), []],
  ['synchronous_commit off', servers(server({ synchronousCommit: 'off' })), ['error postgres-forgets']],
  [
    'the same server by two addresses',
    servers(server({ fsync: false }), server({ fsync: false }, 'DATABASE_URL_DIRECT')),
    ['error postgres-forgets'],
  ],
  [
    'a queue on another one that forgets',
    servers(server(), server({ fsync: false, identity: 'two' }, 'QUEUE_URL', false)),
    ['error postgres-forgets'],
  ],
  ['two databases', servers(server(), server({ identity: 'two' }, 'DATABASE_URL_DIRECT')), ['error databases-differ']],
  ['a pooler', servers(server({ keepsSessions: false })), ['error pooler-in-between']],
  [
    'a pooler, and an address without',
    servers(server({ keepsSessions: false }), server({}, 'DATABASE_URL_DIRECT')),
    [],
  ],
  ['another version', { misfit: 'the database lacks 2 migration(s)' }, ['error schema-misfit']],
  ['counts that are off', off, ['warning counts-off']],
  ['tables that take long to count', large, []],
  ['Redis 6', redis({ versions: ['6.2.14'] }), ['warning server-too-old']],
  ['Redis that does not tell', redis({ versions: [] }), []],
  ['Redis without a file', redis({ problems: ['its append-only file is off'] }), ['error queue-forgets']],
  ['the same, accepted', redis({ problems: ['its append-only file is off'] }, true), ['warning queue-forgets']],
  [
    'Redis that cannot be asked',
    redis({ warnings: ['whether Redis evicts keys could not be checked'] }),
    ['info queue-may-forget'],
  ],
  ['a replica', redis({ troubles: ['it is a replica, which takes no writes'] }), ['error queue-in-trouble']],
  ['no role for SQL users', rights({ reader: null }), ['info reader-missing']],
  ['one that may write', rights({ reader: { ...reader, writes: ['procore.rfis'] } }), ['error reader-may-write']],
  [
    'another role',
    rights({ writers: [{ role: 'Tool', first: 'procore.rfis', count: 3 }] }),
    ['warning others-may-write'],
  ],
  ['everybody', rights({ writers: [{ role: null, first: 'procore.rfis', count: 1 }] }), ['error others-may-write']],
  ['a clock 29 s off', servers(server({ aheadMs: -29_000 })), []],
  ['a clock 31 s off', servers(server({ aheadMs: -31_000 })), ['error clock-off']],
  ["Procore's clock", { procoreAheadMs: 31_000 }, ['warning clock-off']],
  ['11 % of a disk', disk(11), []],
  ['9 % of a disk', disk(9), ['warning disk-low']],
  ['2 % of a disk', disk(2), ['error disk-low']],
  ['a company that refuses', company('refused'), ['error company-not-connected']],
  ['one that nobody knows', company('unknown'), ['error company-unseen']],
  ['one that does not answer', company('no answer'), ['error procore-unreachable']],
  ['one that was not asked', company('not asked'), []],
  ['two tools refused', { tools: [tool('refused'), tool('refused', 'Budget')] }, ['error tool-refused']],
  ['a tool in part', { tools: [tool('in part')] }, ['warning tool-refused']],
  ['a tool that is not found', { tools: [tool('not found')] }, ['warning tool-not-found']],
  ['tools that are off or unclear', { tools: [tool('off'), tool('unclear'), tool('not asked')] }, []],
  [
    'a deprecated path of ours',
    { deprecated: [{ path: '/rest/v1.0/todos/{id}', resources: ['ToDos'], calls: 0, lastAt: null }] },
    ['warning deprecated-calls'],
  ],
])('%s', (_, change, told) => {
  const { findings } = diagnose(found(change), mirror());
  expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(told);
  for (const { message, fix } of findings) expect(`${message} ${fix}`).not.toMatch(/undefined|null|\.\.( |$)/);
});

test('all that status says is said, once', () => {
  const since = ago(2 * HOUR);
  const login = { reason: 'rejected', since, message: 'refused' } as const;
  const refused = { login: { trouble: { reason: 'rejected', message: 'refused' } } } as const;
  const workers = [{ ...worker, report: { ...report, login } }];
  const { findings } = diagnose(found(refused), mirror({ workers }));
  expect(findings).toMatchObject([{ code: 'credentials-refused', since }]);
  expect(diagnose(found(), mirror({ workers: [] })).findings).toMatchObject([{ code: 'worker-silent' }]);
});

test('hooks that were looked at now count in place of what was known, judged by the rules of all hooks', () => {
  const place = { companyId: '7', projectId: '5' };
  const known = {
    ...place,
    resource: null,
    count: 1,
    since: ago(60_000),
    first: [],
    state: 'missing',
    finding: null,
  } as const;
  const hooks = (state: 'missing' | 'disabled' | null, scopes: number) => ({
    hooks: { seen: [{ ...place, state, finding: null }], scopes, late: [], secret: null },
  });
  const told = (change: Partial<DoctorFacts>, of: Partial<Facts>) =>
    diagnose(found(change), mirror(of)).findings.map(({ severity, code }) => `${severity} ${code}`);
  expect(told(hooks(null, 1), { hooks: [known] })).toEqual([]);
  expect(told(hooks(null, 2), { hooks: [known] })).toEqual(['warning hook-missing']); // it is of the one that was not seen
  expect(told(hooks('missing', 1), { hooks: [known] })).toEqual(['warning hook-missing']); // a worker tries again
  expect(told(hooks('disabled', 1), { hooks: [] })).toEqual(['error hook-disabled']);
  expect(diagnose(found(hooks('disabled', 1)), mirror()).checks).toContainEqual({
    ...{ check: 'hooks', state: 'finding', detail: '1 of 1 scope looked at, 1 not as they should be' },
  });
  const undelivered = [{ companyId: '7', count: 2, oldestAt: ago(7 * HOUR) }];
  const late = { hooks: { seen: [], scopes: 0, late: undelivered, secret: null } };
  expect(told(late, {})).toEqual(['error undelivered']);
});

test('without a mirror to read the rest is told all the same', () => {
  const down = servers({
    variable: 'DATABASE_URL',
    address: 'db:5432',
    isMirror: true,
    facts: null,
    problem: 'refused',
  });
  const { misfit: _, ...rest } = found({ ...down, rights: null, deprecated: null, hooks: null });
  const notLooked = [{ check: 'the mirror', why: 'its database cannot be read' }];
  const { verdict, findings, checks } = diagnose({ ...rest, notLooked }, null);
  expect({ verdict, codes: findings.map(({ code }) => code) }).toEqual({
    verdict: 'needs you',
    codes: ['database-unreachable'],
  });
  expect(checks.at(-1)).toEqual({ check: 'the mirror', state: 'not checked', detail: 'its database cannot be read' });
});
