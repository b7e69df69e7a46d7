import { freePort, isFree } from '@procore-mirror/embedded';
import type { Wanted } from './env.ts';
import type { Ports } from './settings.ts';

export const usualPorts: Ports = { ingest: 3000, ingestAdmin: 9464, workerAdmin: 9465, simulator: 4000 };

/** What is said of a part that must go elsewhere. */
const places: Record<keyof Ports, string> = {
  ingest: 'the receiver listens on',
  ingestAdmin: 'the health of the receiver is on',
  workerAdmin: 'the health of the worker is on',
  simulator: 'the simulated Procore listens on',
};

/** So many ports above a taken one are tried. */
const NEAR = 20;

type Options = { wanted: Wanted; usual: Ports; say: (line: string) => void };

/**
 * The usual ports; for those that are taken the next free ones, which is said. The receiver of a real Procore stays where it is
 * configured: a proxy leads there.
 */
export async function choosePorts({ wanted, usual, say }: Options): Promise<Ports> {
  const ports = wanted.isReal ? { ...usual, ingest: wanted.env.INGEST_PORT } : { ...usual };
  const toChoose: (keyof Ports)[] = wanted.isReal
    ? ['ingestAdmin', 'workerAdmin']
    : ['ingest', 'ingestAdmin', 'workerAdmin', 'simulator'];
  for (const name of toChoose) {
    const own = ports[name];
    const ofOthers = new Set(Object.entries(ports).flatMap(([other, port]) => (other === name ? [] : port)));
    if (!ofOthers.has(own) && (await isFree(own))) continue;
    ports[name] = await nextFree(own, ofOthers);
    say(`Ports: port ${own} is taken; ${places[name]} ${ports[name]}`);
  }
  return ports;
}

async function nextFree(taken: number, ofOthers: ReadonlySet<number>): Promise<number> {
  for (let port = taken + 1; port <= Math.min(taken + NEAR, 65_535); port++)
    if (!ofOthers.has(port) && (await isFree(port))) return port;
  for (;;) {
    const port = await freePort();
    if (!ofOthers.has(port)) return port;
  }
}
