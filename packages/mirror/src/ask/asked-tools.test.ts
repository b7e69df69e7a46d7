import { catalogue } from '@procore-mirror/catalogue';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { expect, test } from 'vitest';
import { ScopeParkedError } from '../errors.ts';
import { createAskedTools } from './asked-tools.ts';

const fill = { companyId: '1', projectId: '7', resource: 'RFIs', request: 'one' };
const signal = () => AbortSignal.timeout(30_000);

test('where nobody says which tools are on the list is asked, and the project once only', async () => {
  let calls = 0;
  const client = createProcoreClient({
    ...{ apiUrl: new URL('http://127.0.0.1:9'), token: async () => 'a', refuseToken: () => {}, sleep: async () => {} },
    beforeCall: async () => {
      calls += 1;
    },
  });
  const tools = createAskedTools({ client, catalogue });
  expect(await tools.isOff(fill, signal())).toBe(false);
  const asked = calls;
  expect(asked).toBeGreaterThan(0);
  expect(await tools.isOff({ ...fill, resource: 'Submittals' }, signal())).toBe(false);
  expect(calls).toBe(asked);
  await client.close();
});

test('a parked project waits for its probe', async () => {
  const parked: Pick<ProcoreClient, 'get'> = {
    get: () => Promise.reject(new ScopeParkedError('left alone for a while')),
  };
  const client = {
    ...createProcoreClient({ apiUrl: new URL('http://127.0.0.1:9'), token: async () => 'a', refuseToken: () => {} }),
    ...parked,
  };
  const tools = createAskedTools({ client, catalogue });
  await expect(tools.isOff(fill, signal())).rejects.toThrow(ScopeParkedError);
  await client.close();
});
