import { collectDefaultMetrics, Registry } from 'prom-client';

/** A registry with the metrics of the process itself (memory, event loop, …); each process or test makes its own. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
