import { freePort } from '@procore-mirror/embedded';
import type { DataDirectory } from './data-directory.ts';
import type { Wanted } from './env.ts';
import type { Ports } from './settings.ts';

const usual: Ports = { ingest: 3000, ingestAdmin: 9464, workerAdmin: 9465, simulator: 4000 };

/** The ports of the last start, as far as they are free; the receiver of a real Procore stays where it is configured. */
export async function choosePorts(data: DataDirectory, wanted: Wanted): Promise<Ports> {
  const before = data.remembered.ports;
  const pick = (name: keyof Ports) => freePort(before[name] ?? usual[name]);
  const ports: Ports = {
    ingest: wanted.isReal ? wanted.env.INGEST_PORT : await pick('ingest'),
    ingestAdmin: await pick('ingestAdmin'),
    workerAdmin: await pick('workerAdmin'),
    simulator: await pick('simulator'),
  };
  await data.remember({
    ports: { ...before, ...ports, ...(wanted.isReal && { ingest: before.ingest ?? usual.ingest }) },
  });
  return ports;
}
