import { ConfigError } from '@procore-mirror/runtime';
import { expect, test } from 'vitest';
import { readWanted } from './env.ts';

test('without a client id, or with an empty one as in .env.example, Procore is simulated', () => {
  expect(readWanted({})).toMatchObject({ isReal: false });
  expect(readWanted({ PROCORE_CLIENT_ID: '', PROCORE_CLIENT_SECRET: '' })).toMatchObject({ isReal: false });
});

test('what the apps would refuse is refused before anything starts, also without credentials', () => {
  const read = () => readWanted({ LOG_LEVEL: 'loud', FETCH_DELAY_MS: 'x', INGEST_PORT: 'not used then' });
  expect(read).toThrow(/^LOG_LEVEL: .*\nFETCH_DELAY_MS: [^\n]*$/);
});

test('a secret without its client id is a mistake, not a wish for a simulation', () => {
  expect(() => readWanted({ PROCORE_CLIENT_SECRET: 'x'.repeat(20) })).toThrow(ConfigError);
});

test('with a client id everything else that is missing is listed at once', () => {
  const read = () => readWanted({ PROCORE_CLIENT_ID: 'id', INGEST_PORT: 'x' });
  for (const name of ['PROCORE_CLIENT_SECRET', 'PROCORE_COMPANY_IDS', 'INGEST_PORT']) expect(read).toThrow(name);
});
