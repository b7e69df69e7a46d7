import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createRegistry, tellBuild } from '@procore-mirror/runtime';
import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

function aReceiver() {
  const registry = createRegistry();
  tellBuild(registry, { app: 'ingest', version: '1.2.3' });
  createMetrics(registry, () => 7);
  return registry;
}

test('each series is there before the first delivery', async () => {
  const text = await aReceiver().metrics();
  for (const answer of ['204', '401', '413', '503', 'none'])
    expect(text).toContain(`procore_mirror_ingest_deliveries_total{answer="${answer}"} 0`);
  for (const where of ['queue', 'spool'])
    expect(text).toContain(`procore_mirror_ingest_store_seconds_count{where="${where}"} 0`);
  expect(text).toContain('procore_mirror_ingest_spooled_deliveries 7');
  expect(text).toContain(`procore_mirror_build_info{app="ingest",version="1.2.3",node="${process.versions.node}"} 1`);
});

test('docs/operations.md lists each of them, and no other', () => {
  const text = readFileSync(path.join(import.meta.dirname, '../../../docs/operations.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(procore_mirror_\w+)(?:\{([a-z_,]+)\})?` \| (?:each|receiver) \|/gm)];
  const told = aReceiver().getMetricsAsArray() as { name: string; labelNames?: string[] }[];
  const ours = told.filter(({ name }) => name.startsWith('procore_mirror_'));
  expect(rows.map(([, name, labels = '']) => `${name}{${labels}}`).toSorted()).toEqual(
    ours.map(({ name, labelNames = [] }) => `${name}{${labelNames.join(',')}}`).toSorted(),
  );
});
