// What the receiver is measured against: an express app that parses JSON and answers 204, and stores nothing.
import { once } from 'node:events';
import express from 'express';

const app = express();
app.use(express.json());
app.post('/webhooks/procore', (_request, response) => {
  response.status(204).end();
});
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : null }));
