// Settings, servers, rights, clocks and disks, as `doctor` finds them.
import { counted } from '../plan/fill-in-words.ts';
import type { DiskFacts, DoctorFacts, Examined, Found, NamedServer } from './doctor-facts.ts';
import { MOST_NAMED, namesInWords, SECOND } from './in-words.ts';
import { judgeMisfit } from './judge.ts';
import { about, OF_ALL } from './judged.ts';
import { CLOCKS_APART, judgeQueue } from './processes.ts';

const OLDEST_POSTGRES = 150_000;
const OLDEST_REDIS = 7;

const ofAll = about(OF_ALL);

export function examineSettings({ settings, otherOrigin }: DoctorFacts): Examined[] {
  const { problems, unset, unknown, contradictions, doubtfulSecrets, set } = settings;
  const findings: Found[] = [
    ...problems.map(
      (message): Found => ({
        ...{ ...ofAll, code: 'setting-wrong', severity: 'error', message: `${message}.` },
        fix: 'correct it in the environment or in .env (see .env.example); no process starts with it',
      }),
    ),
    ...unset.map(
      ({ name, what, isNeeded }): Found => ({
        ...{ ...ofAll, code: 'setting-missing', severity: isNeeded ? 'error' : 'info' },
        message: `${name} is not set: ${what}.`,
        fix: `set ${name} in the environment or in .env (see .env.example)`,
      }),
    ),
    ...unknown.map(
      ({ name, meant }): Found => ({
        ...{ ...ofAll, code: 'setting-unknown', severity: 'warning' },
        message: `${name} is set, and nothing reads it.`,
        fix: meant === null ? `take ${name} away` : `if ${meant} is meant, rename it; else take it away`,
      }),
    ),
    ...contradictions.map(
      ({ message, fix, isSure }): Found => ({
        ...{ ...ofAll, code: 'settings-contradict', severity: isSure ? 'error' : 'warning', message, fix },
      }),
    ),
    ...doubtfulSecrets.map(
      ({ name, why }): Found => ({
        ...{ ...ofAll, code: 'secret-doubtful', severity: 'warning' },
        message: `The value of ${name} does not look like a secret: ${why}.`,
        fix: `set ${name} to the value itself, one that nobody can guess`,
      }),
    ),
    ...(otherOrigin === null
      ? []
      : [
          {
            ...({ ...ofAll, code: 'origin-differs', severity: 'error' } as const),
            message: `The database belongs to ${otherOrigin.database}, and PROCORE_ENVIRONMENT is ${otherOrigin.set}: no worker starts so.`,
            fix: `set PROCORE_ENVIRONMENT=${otherOrigin.database}, or a DATABASE_URL of its own for ${otherOrigin.set}`,
          },
        ]),
  ];
  return [{ check: 'configuration', detail: `${counted(set, 'variable')} of ours set`, findings }];
}

export function examineServers({ servers }: DoctorFacts): Examined[] {
  const differ = findDifferent(servers);
  return servers.map((server) => {
    const { variable, address, facts, problem } = server;
    if (facts === null) {
      const finding: Found = {
        ...{ ...ofAll, code: 'database-unreachable', severity: 'error', message: `${variable}: ${problem}.` },
        fix: `start that server, or correct ${variable}; that of \`npm start\` runs only as long as it does`,
      };
      return { check: variable, detail: address, findings: [finding] };
    }
    const size = server.isMirror ? `, ${bytesInWords(facts.databaseBytes)}` : '';
    const kept = forgetfulSettings(facts).length === 0 ? ', forces commits to disk' : '';
    const detail = `${address}: PostgreSQL ${facts.version}${size}${kept}${facts.keepsSessions ? '' : ', behind a pooler'}`;
    return {
      check: variable,
      detail,
      findings: [...judgeServer(server, servers), ...(server === differ ? [DIFFER] : [])],
    };
  });
}

const DIFFER: Found = {
  ...{ ...ofAll, code: 'databases-differ', severity: 'error' },
  message: 'DATABASE_URL and DATABASE_URL_DIRECT lead to two databases.',
  fix: 'let DATABASE_URL_DIRECT name the database behind DATABASE_URL, without the pooler',
};

/** The direct address, where it leads elsewhere. */
function findDifferent(servers: readonly NamedServer[]): NamedServer | undefined {
  const [first, direct] = servers.filter(({ isMirror }) => isMirror);
  return first?.facts && direct?.facts && first.facts.identity !== direct.facts.identity ? direct : undefined;
}

function judgeServer(server: NamedServer, servers: readonly NamedServer[]): Found[] {
  const { variable, facts } = server;
  if (facts === null) return [];
  const { version, versionNumber, encoding, isReadOnly, keepsSessions } = facts;
  const error = (one: Pick<Found, 'code' | 'message' | 'fix'>): Found => ({
    ...{ ...ofAll, ...one, severity: 'error', message: `${variable}: ${one.message}.` },
  });
  const forgets = forgetfulSettings(facts);
  const isHelped = variable === 'DATABASE_URL' && servers.some((one) => one.variable === 'DATABASE_URL_DIRECT');
  const when = (isSo: boolean, one: Pick<Found, 'code' | 'message' | 'fix'>) => (isSo ? [error(one)] : []);
  const pooled = when(!keepsSessions && !isHelped, {
    code: 'pooler-in-between',
    message:
      'a pooler gives sessions out for one transaction at a time, which loses what a session sets, prepares and listens to',
    fix: `set ${variable === 'DATABASE_URL' ? 'DATABASE_URL_DIRECT' : variable} to the server itself, or to a pooler in session mode`,
  });
  const isToldBefore = servers.slice(0, servers.indexOf(server)).some((one) => one.facts?.identity === facts.identity);
  if (isToldBefore) return pooled; // the rest is the same server's
  return [
    ...when(versionNumber < OLDEST_POSTGRES, {
      code: 'server-too-old',
      message: `PostgreSQL 15 or newer is needed, and this is ${version}`,
      fix: 'upgrade that server (pg_upgrade), or name another one',
    }),
    ...when(encoding !== 'UTF8', {
      code: 'server-unfit',
      message: `the database is encoded in ${encoding}`,
      fix: "create database … encoding 'UTF8' template template0",
    }),
    ...when(isReadOnly, {
      code: 'server-unfit',
      message: 'this is a standby, which takes no writes',
      fix: `name the primary server in ${variable}`,
    }),
    ...when(forgets.length > 0, {
      code: 'postgres-forgets',
      message: `${forgets.join(' and ')} ${forgets.length === 1 ? 'is' : 'are'} off: what was acknowledged may be lost when the server or its machine fails`,
      fix: `${forgets.map((name) => `alter system set ${name} = on`).join('; ')}; select pg_reload_conf(); and look whether the role or the database sets it otherwise`,
    }),
    ...pooled,
  ];
}

function forgetfulSettings(said: NonNullable<NamedServer['facts']>): string[] {
  const { fsync, fullPageWrites, synchronousCommit } = said;
  return [
    ...(fsync ? [] : ['fsync']),
    ...(fullPageWrites ? [] : ['full_page_writes']),
    ...(synchronousCommit === 'off' ? ['synchronous_commit'] : []),
  ];
}

export function examineSchema({ misfit: problem }: DoctorFacts): Examined[] {
  if (problem === undefined) return [];
  return [
    {
      check: 'schema',
      detail: problem === null ? 'fits this version' : 'does not fit',
      findings: problem === null ? [] : judgeMisfit(problem).findings.map((finding) => ({ ...ofAll, ...finding })),
    },
  ];
}

export function examineCounts({ counts }: DoctorFacts): Examined[] {
  if (counts === null) return [];
  const { miscounts, notCompared } = counts;
  const resources = [...new Set(miscounts.map(({ resource }) => resource))];
  const off: Found = {
    ...({ ...ofAll, code: 'counts-off', severity: 'warning' } as const),
    message: `${counted(miscounts.length, 'count')} of what the mirror holds ${miscounts.length === 1 ? 'is' : 'are'} off, of ${namesInWords(resources)}: status and mirror.freshness tell wrong numbers.`,
    fix: 'pnpm mirror migrate --recount',
  };
  const left =
    notCompared.length === 0 ? '' : `; ${counted(notCompared.length, 'table')} not counted, which would take long`;
  const verdict = miscounts.length === 0 ? 'equal what is there' : `${miscounts.length} off`;
  return [{ check: 'counts', detail: `${verdict}${left}`, findings: miscounts.length === 0 ? [] : [off] }];
}

export function examineRights({ rights }: DoctorFacts): Examined[] {
  if (rights === null) return [];
  const { reader, writers, openSchemas, rowSecurity } = rights;
  const findings: Found[] = [
    ...(reader === null
      ? [
          {
            ...({ ...ofAll, code: 'reader-missing', severity: 'info' } as const),
            message: 'There is no role procore_reader: SQL users have no rights of their own.',
            fix: 'as an administrator: `create role procore_reader nologin`; then `pnpm mirror migrate`',
          },
        ]
      : judgeReader(reader)),
    ...writers.map(
      ({ role, first, count }): Found => ({
        ...{ ...ofAll, code: 'others-may-write', severity: role === null ? 'error' : 'warning' },
        message: `${role === null ? 'Everybody' : `Role ${role}`} may change rows of ${first}${count > 1 ? ` and ${count - 1} more tables` : ''}: what is written there is no copy of Procore's, and the next fetch overwrites it.`,
        fix: `revoke insert, update, delete, truncate on all tables in schema procore from ${role === null ? 'public' : quoted(role)}`,
      }),
    ),
    ...(openSchemas.length === 0
      ? []
      : [
          {
            ...({ ...ofAll, code: 'others-may-write', severity: 'error' } as const),
            message: `Everybody may make tables in schema ${openSchemas.join(', ')}.`,
            fix: `revoke create on schema ${openSchemas.join(', ')} from public`,
          },
        ]),
    ...(rowSecurity.length === 0
      ? []
      : [
          {
            ...({ ...ofAll, code: 'row-security', severity: 'info' } as const),
            message: `Row security is on for ${namesInWords(rowSecurity)}: readers see the rows that a policy shows them, and none without a policy.`,
            fix: 'nothing where that is meant; else `alter table … disable row level security`',
          },
        ]),
  ];
  return [
    {
      check: 'rights',
      detail: findings.length === 0 ? 'SQL users read, and nobody else writes' : counted(findings.length, 'finding'),
      findings,
    },
  ];
}

function judgeReader(reader: NonNullable<NonNullable<DoctorFacts['rights']>['reader']>): Found[] {
  const { mayLogIn, lacks, writes, seesMore } = reader;
  const when = (isSo: boolean, one: Pick<Found, 'code' | 'severity' | 'message' | 'fix'>): Found[] =>
    isSo ? [{ ...ofAll, ...one }] : [];
  return [
    ...when(writes.length > 0, {
      ...{ code: 'reader-may-write', severity: 'error' },
      message: `SQL users (procore_reader) may change ${namesInWords(writes)}.`,
      fix: 'revoke insert, update, delete, truncate on all tables in schema procore, mirror from procore_reader, public',
    }),
    ...when(lacks.length > 0, {
      ...{ code: 'reader-lacks-rights', severity: 'warning' },
      message: `SQL users (procore_reader) may not read ${namesInWords(lacks)}.`,
      fix: 'pnpm mirror migrate',
    }),
    ...when(seesMore.length > 0, {
      ...{ code: 'reader-sees-more', severity: 'warning' },
      message: `SQL users (procore_reader) may read ${namesInWords(seesMore)}, which is for operators.`,
      fix: `revoke select on ${seesMore.slice(0, MOST_NAMED).join(', ')} from procore_reader, public`,
    }),
    ...when(mayLogIn, {
      ...{ code: 'reader-may-log-in', severity: 'warning' },
      message: 'The role procore_reader may log in, though it is made to be granted to logins.',
      fix: 'alter role procore_reader nologin',
    }),
  ];
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

export function examineQueue({ queue, waiting }: DoctorFacts): Examined[] {
  if (queue === null) return [];
  const { variable, address, redis, isVolatileAllowed } = queue;
  const reached = waiting === null ? [] : judgeQueue(waiting);
  const waits = waiting === null || waiting.waiting === null ? '' : `, ${waiting.waiting} waiting`;
  if (redis === null) return [{ check: 'queue', detail: `${address} (${variable})${waits}`, findings: reached }];
  const { versions, problems, warnings, troubles } = redis;
  const old = versions.filter((version) => Number.parseInt(version, 10) < OLDEST_REDIS);
  const findings: Found[] = [
    ...reached,
    ...(problems.length === 0
      ? []
      : [
          {
            ...({ ...ofAll, code: 'queue-forgets', severity: isVolatileAllowed ? 'warning' : 'error' } as const),
            message: `Redis may lose deliveries that were acknowledged: ${problems.join('; ')}${isVolatileAllowed ? ' (QUEUE_ALLOW_VOLATILE accepts it)' : '; no process starts with it'}.`,
            fix: 'CONFIG SET appendonly yes; CONFIG SET maxmemory-policy noeviction; CONFIG REWRITE',
          },
        ]),
    ...warnings.map(
      (warning): Found => ({
        ...{ ...ofAll, code: 'queue-may-forget', severity: 'info', message: `${capital(warning)}.` },
        fix: warning.includes('appendfsync')
          ? 'CONFIG SET appendfsync always; CONFIG REWRITE'
          : 'ask who runs that Redis whether it has an append-only file and the policy noeviction',
      }),
    ),
    ...troubles.map(
      (trouble): Found => ({
        ...{ ...ofAll, code: 'queue-in-trouble', severity: 'error', message: `Redis at ${address}: ${trouble}.` },
        fix: 'see the log of Redis, its disk and its memory (`redis-cli info`)',
      }),
    ),
    ...(old.length === 0
      ? []
      : [
          {
            ...({ ...ofAll, code: 'server-too-old', severity: 'warning' } as const),
            message: `Redis 7 or newer is supported, and this is ${old.join(', ')}.`,
            fix: 'upgrade Redis',
          },
        ]),
  ];
  const version = versions.length === 0 ? 'Redis, which does not tell its version' : `Redis ${versions.join(', ')}`;
  const kept = problems.length + warnings.length === 0 ? ', keeps what it acknowledges' : '';
  return [{ check: 'queue', detail: `${address} (${variable}): ${version}${kept}${waits}`, findings }];
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

export function examineClocks({ servers, procoreAheadMs }: DoctorFacts): Examined[] {
  const database = servers.find(({ isMirror, facts }) => isMirror && facts !== null)?.facts?.aheadMs ?? null;
  // A clock that is ahead of ours makes ours be behind.
  const clocks = [
    { whose: "the database's", aheadMs: database, severity: 'error' as const },
    { whose: "Procore's", aheadMs: procoreAheadMs === null ? null : -procoreAheadMs, severity: 'warning' as const },
  ].filter((clock) => clock.aheadMs !== null);
  if (clocks.length === 0) return [];
  const inSeconds = (ms: number) => Math.round(Math.abs(ms) / SECOND);
  const findings = clocks
    .filter(({ aheadMs }) => Math.abs(aheadMs ?? 0) > CLOCKS_APART)
    .map(
      ({ whose, aheadMs, severity }): Found => ({
        ...{ ...ofAll, code: 'clock-off', severity },
        message: `The clock of this machine is ${inSeconds(aheadMs ?? 0)} s ${(aheadMs ?? 0) > 0 ? 'ahead of' : 'behind'} ${whose}.`,
        fix: 'let all machines follow one time server (NTP)',
      }),
    );
  const detail = clocks.map(({ whose, aheadMs }) => `${inSeconds(aheadMs ?? 0)} s from ${whose}`).join(', ');
  return [{ check: 'clocks', detail, findings }];
}

const LOW_SHARE = 0.1;
const LOWEST_SHARE = 0.03;

export function examineDisks({ disks }: DoctorFacts): Examined[] {
  return disks.map((disk) => ({
    ...{ check: `disk: ${disk.what}`, detail: `${disk.path}${freeInWords(disk)}`, findings: judgeDisk(disk) },
  }));
}

function judgeDisk({ what, path, problem, freeBytes, totalBytes }: DiskFacts): Found[] {
  if (problem !== null) {
    return [
      {
        ...{
          ...ofAll,
          code: 'disk-unusable',
          severity: 'error',
          message: `Nothing can be written to ${what}: ${problem}.`,
        },
        fix: `make ${path} a directory of the user that writes there`,
      },
    ];
  }
  if (freeBytes === null || totalBytes === null || freeBytes >= LOW_SHARE * totalBytes) return [];
  return [
    {
      ...{ ...ofAll, code: 'disk-low', severity: freeBytes < LOWEST_SHARE * totalBytes ? 'error' : 'warning' },
      message: `The disk of ${what} is nearly full: ${bytesInWords(freeBytes)} of ${bytesInWords(totalBytes)} are free.`,
      fix: `make room on the disk of ${path}`,
    },
  ];
}

function freeInWords({ freeBytes, totalBytes }: DiskFacts): string {
  return freeBytes === null || totalBytes === null
    ? ''
    : `: ${bytesInWords(freeBytes)} of ${bytesInWords(totalBytes)} free`;
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

function bytesInWords(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${Math.round(bytes / 1000 ** power)} ${UNITS[power]}`;
}
