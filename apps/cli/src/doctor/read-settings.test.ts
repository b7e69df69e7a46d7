import { createSecrets } from '@procore-mirror/runtime';
import { expect, test } from 'vitest';
import { createContext } from '../context.ts';
import { createOutput } from '../output.ts';
import { readSettings } from './read-settings.ts';

const well = {
  ...{ DATABASE_URL: 'postgres://a:b@127.0.0.1/c', PROCORE_COMPANY_IDS: '1' },
  ...{ PROCORE_CLIENT_ID: 'client', PROCORE_CLIENT_SECRET: 'q8Zr-41xx-77hK' },
  ...{ WEBHOOK_URL: 'https://mirror.example.com/webhooks/procore', WEBHOOK_AUTHORIZATION: 'Bearer 0a9s8d7f6g5h' },
};

function settingsOf(change: Record<string, string>) {
  const output = createOutput({ json: false, write: () => {}, writeError: () => {} });
  const { signal } = new AbortController();
  const env = { ...well, ...change };
  return readSettings(createContext({ env, startFile: '/nowhere', secrets: createSecrets(), signal, output }));
}

/** What there is to tell, in short. */
function toldOf(change: Record<string, string>): string[] {
  const { problems, unset, unknown, contradictions, doubtfulSecrets } = settingsOf(change);
  return [
    ...problems.map((problem) => `wrong ${problem.split(':')[0]}`),
    ...unset.map(({ name }) => `missing ${name}`),
    ...unknown.map(({ name, meant }) => `unknown ${name} ${meant}`),
    ...contradictions.map(({ isSure, message }) => `${isSure ? 'contradiction' : 'doubt'} ${message.split(' ')[0]}`),
    ...doubtfulSecrets.map(({ name, why }) => `${name} ${why}`),
  ];
}

const sandbox = {
  PROCORE_LOGIN_URL: 'https://login-sandbox.procore.com',
  PROCORE_API_URL: 'https://sandbox.procore.com',
};

test.each<[what: string, change: Record<string, string>, told: string[]]>([
  ['all is well', {}, []],
  ['variables of other programs', { PGHOST: 'x', HOME: '/', NODE_ENV: 'x', SIMULATOR_PORT: '1' }, []],
  ['a misspelled one', { DATABSE_URL: 'x' }, ['unknown DATABSE_URL DATABASE_URL']],
  ['one that looks like ours', { PROCORE_COMPANIES: '1' }, ['unknown PROCORE_COMPANIES PROCORE_COMPANY_IDS']],
  ['one that is like none of ours', { MIRROR_Q: '1' }, ['unknown MIRROR_Q null']],
  ['a file where none is read', { QUEUE_URL_FILE: '/x' }, ['unknown QUEUE_URL_FILE QUEUE_URL']],
  [
    'a secret, and a file of it',
    { PROCORE_CLIENT_SECRET_FILE: '/x' },
    ['wrong PROCORE_CLIENT_SECRET and PROCORE_CLIENT_SECRET_FILE are both set'],
  ],
  [
    'several wrong ones',
    { QUEUE_URL: 'http://q', FETCH_DELAY_MS: 'soon' },
    ['wrong QUEUE_URL', 'wrong FETCH_DELAY_MS'],
  ],
  ['a resource that there is not', { MIRROR_RESOURCES: 'RFIz' }, ['wrong MIRROR_RESOURCES']],
  ['a catalogue that is not there', { MIRROR_CATALOGUE: '/nowhere.json' }, ['wrong MIRROR_CATALOGUE']],
  ['an address without https', { WEBHOOK_URL: 'http://mirror.example.com/webhooks/procore' }, ['wrong WEBHOOK_URL']],
  ['no companies', { PROCORE_COMPANY_IDS: ' ' }, ['missing PROCORE_COMPANY_IDS']],
  [
    'no receiver',
    { WEBHOOK_URL: '', WEBHOOK_AUTHORIZATION: '' },
    ['missing WEBHOOK_URL', 'missing WEBHOOK_AUTHORIZATION'],
  ],
  [
    'a receiver without its secret',
    { WEBHOOK_AUTHORIZATION: '' },
    ['missing WEBHOOK_AUTHORIZATION', 'doubt WEBHOOK_URL'],
  ],
  ['servers of another environment', sandbox, ['contradiction PROCORE_ENVIRONMENT']],
  ['servers of this environment', { ...sandbox, PROCORE_ENVIRONMENT: 'sandbox' }, []],
  ['servers of two environments', { PROCORE_API_URL: sandbox.PROCORE_API_URL }, ['contradiction PROCORE_ENVIRONMENT']],
  [
    'a receiver that Procore cannot reach',
    { WEBHOOK_URL: 'http://127.0.0.1/webhooks/procore' },
    ['contradiction WEBHOOK_URL'],
  ],
  ['another path', { WEBHOOK_URL: 'https://mirror.example.com/' }, ['doubt WEBHOOK_URL']],
  ['a placeholder', { PROCORE_CLIENT_SECRET: 'change-me' }, ['PROCORE_CLIENT_SECRET it looks like a placeholder']],
  ['quotes', { PROCORE_CLIENT_SECRET: '"0a9s8d7f"' }, ['PROCORE_CLIENT_SECRET it stands in quotes, which count']],
  ['the id again', { PROCORE_CLIENT_SECRET: 'client' }, ['PROCORE_CLIENT_SECRET it is the client id']],
  ['blanks', { PROCORE_CLIENT_SECRET: '0a9s 8d7f' }, ['PROCORE_CLIENT_SECRET it has blanks in it']],
  [
    'one letter',
    { WEBHOOK_AUTHORIZATION: 'Bearer aaaaaaaaaaaaaaaa' },
    ['WEBHOOK_AUTHORIZATION it has few different characters'],
  ],
  [
    'the secret of Procore for the hooks',
    { WEBHOOK_AUTHORIZATION: `Bearer ${well.PROCORE_CLIENT_SECRET}` },
    ['WEBHOOK_AUTHORIZATION it holds the client secret, which is for the login server only'],
  ],
])('%s', (_, change, told) => {
  expect(toldOf(change)).toEqual(told);
});

test('no value of a secret, and none that may be one, is told', () => {
  const change = { PROCORE_SECRET: 'a-value-in-a-wrong-place', WEBHOOK_AUTHORIZATION: 'too-short' };
  expect(JSON.stringify(settingsOf(change))).not.toMatch(/a-value|too-short|q8Zr/);
});
