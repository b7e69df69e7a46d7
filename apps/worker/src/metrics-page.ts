// The worker's page `/metrics`: what it counts itself, always; what is known of the whole database where this worker judges it and the
// database can be reached.
import type { Database } from '@procore-mirror/database';
import type { JudgedMirror } from '@procore-mirror/mirror';
import { Gauge, type Registry } from '@procore-mirror/runtime';
import { createMirrorMetrics } from './mirror-metrics.ts';

const ANSWERS_WITHIN_MS = 2_000;

/** `registry`: of the worker's own counters. */
export function createMetricsPage(options: {
  registry: Registry;
  database: Pick<Database, 'pool'>;
  judged: () => JudgedMirror | null;
  answersWithinMs?: number;
}): Pick<Registry, 'contentType' | 'metrics'> {
  const { registry, database, judged, answersWithinMs = ANSWERS_WITHIN_MS } = options;
  const mirror = createMirrorMetrics();
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `procore_mirror_${name}`, help, registers: [registry] });
  const reachable = gauge('database_reachable', 'Whether this worker reaches the database now: 1 or 0.');
  const tells = gauge(
    'tells_of_database',
    'Whether this worker tells of the whole database: 1 for one of all workers.',
  );
  return {
    contentType: registry.contentType,
    metrics: async () => {
      const isReachable = await isAnswered(database, answersWithinMs);
      const known = isReachable ? judged() : null;
      reachable.set(Number(isReachable));
      tells.set(Number(known !== null));
      const own = await registry.metrics();
      if (known === null) return own;
      mirror.tell(known);
      return `${own}\n${await mirror.registry.metrics()}`;
    },
  };
}

async function isAnswered({ pool }: Pick<Database, 'pool'>, withinMs: number): Promise<boolean> {
  const question = pool.query('select 1').then(
    () => true,
    () => false,
  );
  const timer = Promise.withResolvers<boolean>();
  const timeout = setTimeout(() => timer.resolve(false), withinMs);
  try {
    return await Promise.race([question, timer.promise]);
  } finally {
    clearTimeout(timeout);
  }
}
