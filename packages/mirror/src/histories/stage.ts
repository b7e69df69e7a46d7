// Where histories are played: a database, and a server that gives each request to the history that is being played.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Database } from '@procore-mirror/database';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { openMigratedDatabase } from '../testing/test-mirror.ts';
import type { Answer } from './world-answers.ts';

export type Stage = {
  database: Database;
  client: ProcoreClient;
  /** Who answers requests now. */
  respond: (url: URL) => Promise<Answer>;
  /** Each history is of a company of its own, so nothing that one leaves behind is seen by the next. */
  nextCompany: () => string;
  close: () => Promise<void>;
};

export async function openStage(): Promise<Stage> {
  const { database, close } = await openMigratedDatabase({ max: 20 });
  const server = createServer((request, response) => void answer(stage, request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo; // listening on TCP, so this is its address
  const client = createProcoreClient({
    apiUrl: new URL(`http://127.0.0.1:${port}`),
    token: async () => 'token-of-the-test',
    refuseToken: () => {},
    sleep: async () => {},
  });
  let companies = 0;
  const stage: Stage = {
    database,
    client,
    respond: async () => ({ status: 404, body: {}, headers: {} }),
    nextCompany: () => {
      companies += 1;
      return String(companies);
    },
    close: async () => {
      await client.close();
      server.close();
      await close();
    },
  };
  return stage;
}

async function answer(stage: Stage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body, headers } = await stage.respond(new URL(request.url ?? '/', 'http://procore'));
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
