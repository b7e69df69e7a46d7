import { expect, test } from 'vitest';
import { readWanted } from './env.ts';
import { realSettings, settingsToShare, simulatedSettings } from './settings.ts';

const remembered = { webhookAuthorization: 'Bearer remembered', clientSecret: 'remembered-secret' };
const ports = { ingest: 1, ingestAdmin: 2, workerAdmin: 3, simulator: 4 };
const common = { databaseUrl: 'postgres://embedded', remembered, spool: '/data/spool' };
const real = { PROCORE_CLIENT_ID: 'id', PROCORE_CLIENT_SECRET: 'secret', PROCORE_COMPANY_IDS: '1' };

function settingsFor(env: Record<string, string>) {
  const wanted = readWanted(env);
  if (!wanted.isReal) throw new Error('this test is about the real one');
  return { wanted, settings: realSettings({ env, known: wanted.env, ...common }) };
}

test('nothing of .env reaches the apps of a simulated Procore', () => {
  const settings = simulatedSettings({ ports, ...common });
  for (const name of ['QUEUE_URL', 'PROCORE_ENVIRONMENT', 'PROCORE_CLIENT_SECRET_FILE', 'MIRROR_RESOURCES'])
    expect(settings[name]).toBe('');
  expect(settings.PROCORE_API_URL).toBe('http://127.0.0.1:4');
});

test('of a simulated Procore, too, a secret can be rotated', () => {
  const [old, both] = ['Bearer of-the-past-only', 'Bearer of-the-future-only,Bearer of-the-past-only'];
  for (const authorization of [old, both]) {
    const wanted = readWanted({ WEBHOOK_AUTHORIZATION: authorization });
    const settings = simulatedSettings({ ports, ...common, authorization: wanted.env.WEBHOOK_AUTHORIZATION });
    expect(settingsToShare(wanted, settings).WEBHOOK_AUTHORIZATION).toBe(authorization);
  }
  expect(simulatedSettings({ ports, ...common }).WEBHOOK_AUTHORIZATION).toBe(remembered.webhookAuthorization);
  expect(() => readWanted({ WEBHOOK_AUTHORIZATION: 'short' })).toThrow('at least 16 characters');
});

test('for a real Procore what is configured wins, and the rest is supplied', () => {
  expect(settingsFor(real).settings).toMatchObject({
    DATABASE_URL: 'postgres://embedded',
    WEBHOOK_AUTHORIZATION: 'Bearer remembered',
    INGEST_SPOOL_DIR: '/data/spool',
  });
  const own = { WEBHOOK_AUTHORIZATION: 'Bearer of-my-own-choice', INGEST_SPOOL_DIR: '/mine' };
  expect(settingsFor({ ...real, ...own }).settings).toMatchObject(own);
});

test('commands beside it learn of a real Procore only what they do not know already', () => {
  const { wanted, settings } = settingsFor(real);
  expect(settingsToShare(wanted, settings)).toEqual({
    DATABASE_URL: 'postgres://embedded',
    PROCORE_CLIENT_ID: 'id',
    WEBHOOK_AUTHORIZATION: 'Bearer remembered',
  });
});
