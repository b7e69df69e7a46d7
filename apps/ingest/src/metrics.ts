import { Counter, Gauge, Histogram, type Registry } from '@procore-mirror/runtime';

export type IngestMetrics = {
  /** 'none': the sender went away before its request was whole. */
  answered: (status: 204 | 401 | 413 | 503 | 'none') => void;
  stored: (where: 'queue' | 'spool', seconds: number) => void;
};

const ANSWERS = ['204', '401', '413', '503', 'none'];

export function createMetrics(registry: Registry, spooled: () => number): IngestMetrics {
  const deliveries = new Counter({
    name: 'procore_mirror_ingest_deliveries_total',
    help: 'Deliveries by the answer they got.',
    labelNames: ['answer'],
    registers: [registry],
  });
  for (const answer of ANSWERS) deliveries.inc({ answer }, 0);
  const durations = new Histogram({
    name: 'procore_mirror_ingest_store_seconds',
    help: 'From the headers of a delivery to its durable storage.',
    labelNames: ['where'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  });
  for (const where of ['queue', 'spool']) durations.zero({ where });
  new Gauge({
    name: 'procore_mirror_ingest_spooled_deliveries',
    help: 'Deliveries and reports on the local disk that wait for the queue.',
    registers: [registry],
    collect() {
      this.set(spooled());
    },
  });
  return {
    answered: (status) => deliveries.inc({ answer: String(status) }),
    stored: (where, seconds) => durations.observe({ where }, seconds),
  };
}

/** Counts in each of these. */
export function countInAll(all: readonly IngestMetrics[]): IngestMetrics {
  return {
    answered: (status) => {
      for (const each of all) each.answered(status);
    },
    stored: (where, seconds) => {
      for (const each of all) each.stored(where, seconds);
    },
  };
}
