import type { BatchReport, Recorded } from '@procore-mirror/mirror';
import { Counter, createRegistry, type Registry } from '@procore-mirror/runtime';

export type WorkerMetrics = {
  registry: Registry;
  recorded: (recorded: Recorded) => void;
  fetched: (resource: string, report: BatchReport) => void;
  called: (status: number | null) => void;
};

/** Counters of one worker. */
export function createWorkerMetrics(): WorkerMetrics {
  const registry = createRegistry();
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const events = counter('procore_mirror_events_total', 'Deliveries recorded, by outcome.', ['outcome']);
  const batches = counter('procore_mirror_batches_total', 'Runs over a batch, by outcome.', ['resource', 'outcome']);
  const rows = counter('procore_mirror_rows_total', 'Rows stored or marked absent.', ['resource', 'change']);
  const calls = counter('procore_mirror_calls_total', 'Calls to Procore, by status.', ['status']);
  return {
    registry,
    recorded: ({ outcome }) => events.inc({ outcome }),
    fetched: (resource, { outcome, stored, absent }) => {
      batches.inc({ resource, outcome });
      rows.inc({ resource, change: 'stored' }, stored);
      rows.inc({ resource, change: 'absent' }, absent);
    },
    called: (status) => calls.inc({ status: status === null ? 'none' : String(status) }),
  };
}
