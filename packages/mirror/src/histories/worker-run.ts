// A run of a worker, which may stand still at one place until it is let on.
import type { Database } from '@procore-mirror/database';
import type { ProcoreClient } from '@procore-mirror/procore';
import type { FetchSettings } from '../run/fetch-settings.ts';
import type { Hold } from './command.ts';
import { createGate, type Gate } from './gate.ts';

export type WorkerRun = {
  /** From 1, in the order in which runs began. */
  number: number;
  hold: Hold | null;
  gate: Gate;
  /** Requests and versions so far. */
  seen: { requests: number; versions: number };
};

export function createRun(number: number, hold: Hold | null): WorkerRun {
  return { number, hold, gate: createGate(), seen: { requests: 0, versions: 0 } };
}

/** The settings of a worker for this run: its requests say which run makes them, and it sleeps where it is to. */
export function settingsOf(run: WorkerRun, settings: FetchSettings): FetchSettings {
  return { ...settings, client: clientOf(run, settings.client), database: databaseOf(run, settings.database) };
}

function clientOf({ number }: WorkerRun, client: ProcoreClient): ProcoreClient {
  const marked = (path: string) => `${path}${path.includes('?') ? '&' : '?'}run=${number}`;
  return {
    ...client,
    get: (path, options) => client.get(marked(path), options),
    pages: (path, options) => client.pages(marked(path), options),
  };
}

function databaseOf(run: WorkerRun, database: Database): Database {
  if (run.hold?.what !== 'version') return database;
  const { at } = run.hold;
  // `never` stands for whatever the many overloads of `query` take.
  const query = async (...parameters: [never]): Promise<unknown> => {
    if (JSON.stringify(parameters[0]).includes(`nextval('mirror.fetch_version')`)) {
      run.seen.versions += 1;
      if (run.seen.versions === at + 1) await run.gate.pass();
    }
    return database.pool.query(...parameters);
  };
  const pool = new Proxy(database.pool, {
    get: (target, name) => {
      const value = name === 'query' ? query : Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...database, pool };
}
