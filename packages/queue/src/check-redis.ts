// A Redis with its defaults forgets everything since the last snapshot when it is killed, and one that evicts forgets what
// it likes. Managed services forbid CONFIG, so INFO, which tells the same two facts, is asked when CONFIG is not to be had.
import type { Cluster, Redis } from 'ioredis';

export type RedisFindings = {
  /** What makes it lose acknowledged deliveries. */
  problems: readonly string[];
  warnings: readonly string[];
  /** What else is wrong with it just now; each needs a person. */
  troubles: readonly string[];
  /** Of each master, where it tells. */
  versions: readonly string[];
  /** BullMQ reads the version from INFO; where INFO is forbidden it must not try. */
  infoAllowed: boolean;
};

/** Asks each master whether it keeps what it acknowledges. */
export async function checkRedis(client: Redis | Cluster): Promise<RedisFindings> {
  const masters = client.isCluster ? (client as Cluster).nodes('master') : [client as Redis]; // isCluster tells them apart
  const findings = await Promise.all(masters.map(checkServer));
  return {
    problems: unique(findings.flatMap(({ problems }) => problems)),
    warnings: unique(findings.flatMap(({ warnings }) => warnings)),
    troubles: unique(findings.flatMap(({ troubles }) => troubles)),
    versions: unique(findings.flatMap(({ versions }) => versions)),
    infoAllowed: findings.every(({ infoAllowed }) => infoAllowed),
  };
}

async function checkServer(client: Redis): Promise<RedisFindings> {
  const info = await ask(client, () => client.info());
  const told = { ...factsOfInfo(info), ...(await factsOfConfig(client)) };
  const version = /^redis_version:(\S+)/m.exec(info ?? '')?.[1];
  return {
    ...judge(told),
    troubles: troublesOf(info ?? ''),
    versions: version === undefined ? [] : [version],
    infoAllowed: info !== null,
  };
}

const NEARLY_FULL = 0.9;

/** What INFO tells of writes that failed, or soon will. */
function troublesOf(info: string): string[] {
  const said = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
  const [used, most] = [Number(said('used_memory') ?? 0), Number(said('maxmemory') ?? 0)];
  return [
    ...(said('role') === 'slave' ? ['it is a replica, which takes no writes'] : []),
    ...(said('aof_last_write_status') === 'err' ? ['its last write to the append-only file failed'] : []),
    ...(said('aof_last_bgrewrite_status') === 'err' ? ['its append-only file could not be rewritten'] : []),
    ...(said('rdb_last_bgsave_status') === 'err' ? ['its last snapshot failed, after which it may refuse writes'] : []),
    ...(most > 0 && used > NEARLY_FULL * most
      ? [`it uses ${Math.round((100 * used) / most)} % of its maxmemory, and refuses writes when that is full`]
      : []),
  ];
}

type Facts = { appendonly?: string; 'maxmemory-policy'?: string; appendfsync?: string };

async function factsOfConfig(client: Redis): Promise<Facts> {
  const facts: Facts = {};
  for (const name of ['appendonly', 'maxmemory-policy', 'appendfsync'] as const) {
    // One by one, because Redis before 7 takes one name only.
    const answer = await ask(client, () => client.config('GET', name));
    const value = Array.isArray(answer) ? answer[1] : undefined;
    if (typeof value === 'string') facts[name] = value;
  }
  return facts;
}

function factsOfInfo(info: string | null): Facts {
  const aof = /^aof_enabled:(\d)/m.exec(info ?? '')?.[1];
  const policy = /^maxmemory_policy:(\S+)/m.exec(info ?? '')?.[1];
  return {
    ...(aof === undefined ? {} : { appendonly: aof === '1' ? 'yes' : 'no' }),
    ...(policy === undefined ? {} : { 'maxmemory-policy': policy }),
  };
}

function judge(facts: Facts): { problems: string[]; warnings: string[] } {
  const problems: string[] = [];
  const warnings: string[] = [];
  const { appendonly, 'maxmemory-policy': policy, appendfsync } = facts;
  if (appendonly === 'no') problems.push('its append-only file is off');
  if (policy !== undefined && policy !== 'noeviction') problems.push(`its maxmemory-policy is ${policy}`);
  if (appendonly === undefined) {
    warnings.push('whether Redis writes an append-only file could not be checked: CONFIG and INFO are both forbidden');
  }
  if (policy === undefined) {
    warnings.push('whether Redis evicts keys could not be checked: CONFIG and INFO are both forbidden');
  }
  if (appendonly === 'yes' && appendfsync !== undefined && appendfsync !== 'always') {
    warnings.push(
      `Redis writes with appendfsync ${appendfsync}: when its machine fails, the last second or more of acknowledged ` +
        'deliveries may be lost; CONFIG SET appendfsync always closes that gap',
    );
  }
  return { problems, warnings };
}

/** The answer, or null when the server refuses to tell; a broken connection still throws. */
async function ask<T>(client: Redis, question: () => Promise<T>): Promise<T | null> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError' && client.status === 'ready') return null;
    throw error;
  }
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
