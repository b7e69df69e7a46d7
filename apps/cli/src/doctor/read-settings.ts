// What the settings say of themselves, before any server is asked. No value that is secret leaves this file.
import { misspelledName, probableName } from '@procore-mirror/catalogue';
import type { DoctorFacts } from '@procore-mirror/mirror';
import {
  ConfigError,
  environmentOf,
  everyVariable,
  isLoopback,
  pathWarning,
  procoreHosts,
} from '@procore-mirror/runtime';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { type Env, environmentSchema } from '../env.ts';
import { orNull } from './or-null.ts';

type Readable = Pick<Context, 'variables' | 'read' | 'catalogue'>;
type SettingFacts = DoctorFacts['settings'];

const NAMES = new Set(everyVariable.map(({ name }) => name));
const FILES = new Set(everyVariable.flatMap(({ name, takesFile }) => (takesFile ? [`${name}_FILE`] : [])));
/** Nothing else is called so. */
const LOOKS_LIKE_OURS = /^(PROCORE|WEBHOOK|MIRROR|INGEST)_/;
const WRONG_LETTERS = 2;
const SHORTEST_NAME = 8;

const WANTED: SettingFacts['unset'] = [
  { name: 'PROCORE_CLIENT_ID', what: 'workers cannot sign in to Procore', isNeeded: true },
  { name: 'PROCORE_CLIENT_SECRET', what: 'workers cannot sign in to Procore', isNeeded: true },
  { name: 'PROCORE_COMPANY_IDS', what: 'hooks and fills need the companies to mirror', isNeeded: true },
  {
    ...{ name: 'WEBHOOK_URL', isNeeded: false },
    what: 'hooks were not looked at, and a worker with these settings does not look after them',
  },
  {
    ...{ name: 'WEBHOOK_AUTHORIZATION', isNeeded: false },
    what: 'whether hooks carry it was not compared, and a receiver needs it',
  },
];

/** Reads every setting by itself, so that one that is wrong hides no other. */
export function readSettings(context: Readable): SettingFacts {
  const env = context.variables();
  const { values, problems } = readEach(context, env);
  const isSet = (name: string) => (env[name] ?? env[`${name}_FILE`]) !== undefined;
  return {
    set: [...NAMES].filter(isSet).length,
    problems: [...new Set([...problems, ...problemsOf(() => context.catalogue())])],
    unset: WANTED.filter(({ name }) => !isSet(name)),
    unknown: unknownIn(env),
    contradictions: contradictionsIn(context, values, isSet),
    doubtfulSecrets: doubtfulSecretsIn(values),
  };
}

type Values = Record<string, unknown>;

function readEach(context: Readable, env: Env): { values: Values; problems: string[] } {
  const values: Values = {};
  const problems: string[] = [];
  for (const { name, field, takesFile } of everyVariable) {
    if ((env[name] ?? (takesFile ? env[`${name}_FILE`] : undefined)) === undefined) continue;
    const own = problemsOf(() => Object.assign(values, context.read(z.object({ [name]: field }))));
    problems.push(...own);
  }
  return { values, problems };
}

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

function unknownIn(env: Env): SettingFacts['unknown'] {
  const known = [...NAMES, ...FILES];
  const strange = Object.keys(env).filter((name) => !NAMES.has(name) && !FILES.has(name));
  return strange.flatMap((name) => {
    const ofFile = name.replace(/_FILE$/, '');
    if (NAMES.has(ofFile)) return [{ name, meant: ofFile }];
    const near = name.length < SHORTEST_NAME ? undefined : misspelledName(name, known, WRONG_LETTERS);
    if (near !== undefined) return [{ name, meant: near }];
    return LOOKS_LIKE_OURS.test(name) ? [{ name, meant: probableName(name, known) ?? null }] : [];
  });
}

function contradictionsIn(
  context: Readable,
  values: Values,
  isSet: (name: string) => boolean,
): SettingFacts['contradictions'] {
  return [...environmentsIn(context, values), ...webhookIn(values, isSet)];
}

/** Login and API servers of two environments, or of another one than is set. */
function environmentsIn(context: Readable, values: Values): SettingFacts['contradictions'] {
  const hosts = orNull(() => procoreHosts(context.read(environmentSchema)));
  if (hosts === null) return [];
  const { PROCORE_ENVIRONMENT: set = 'production' } = values;
  const [login, api] = [environmentOf(hosts.loginUrl), environmentOf(hosts.apiUrl)];
  const other = [login, api].find((one) => one !== null && one !== set);
  if (other === undefined) return [];
  const leads =
    login === api
      ? `the login and API servers are those of ${api}`
      : `the login server is of ${login ?? 'nobody we know'}, the API server of ${api ?? 'nobody we know'}`;
  return [
    {
      ...{ message: `PROCORE_ENVIRONMENT is ${set}, and ${leads}.`, isSure: true },
      fix: `set PROCORE_ENVIRONMENT=${other} without PROCORE_LOGIN_URL and PROCORE_API_URL, or take these two away`,
    },
  ];
}

function webhookIn(values: Values, isSet: (name: string) => boolean): SettingFacts['contradictions'] {
  const { WEBHOOK_URL: url, PROCORE_API_URL: api, CHECK_HOOKS_EVERY_MS: every } = values;
  if (typeof url !== 'string') return [];
  const isHere = (address: unknown) => typeof address === 'string' && isLoopback(new URL(address).hostname);
  const path = pathWarning(url);
  return [
    ...(isHere(url) && !isHere(api)
      ? [
          {
            ...{ message: 'WEBHOOK_URL leads to this machine, where Procore cannot reach it.', isSure: true },
            fix: 'set WEBHOOK_URL to the public https address of the receiver',
          },
        ]
      : []),
    ...(path === null
      ? []
      : [
          {
            message: `${path}.`,
            fix: 'nothing where a proxy rewrites the path; else correct WEBHOOK_URL',
            isSure: false,
          },
        ]),
    ...(isSet('WEBHOOK_AUTHORIZATION') || every === 0
      ? []
      : [
          {
            message: 'WEBHOOK_URL is set and WEBHOOK_AUTHORIZATION is not: no worker starts with these settings.',
            ...{ fix: 'set WEBHOOK_AUTHORIZATION for workers, too, or CHECK_HOOKS_EVERY_MS=0', isSure: false },
          },
        ]),
  ];
}

const PLACEHOLDER =
  /^(change[-_ ]?me|secret|password|client[-_ ]?secret|todo|example|x{4,}|\.{3}|…|<.*>|your[-_ ].*)$/i;
const QUOTED = /^(["']).*\1$/;
const FEWEST_LETTERS = 6;

function doubtfulSecretsIn(values: Values): SettingFacts['doubtfulSecrets'] {
  const { PROCORE_CLIENT_SECRET: secret, PROCORE_CLIENT_ID: id, WEBHOOK_AUTHORIZATION: accepted } = values;
  const doubts: SettingFacts['doubtfulSecrets'][number][] = [];
  if (typeof secret === 'string') {
    const why = secret === id ? 'it is the client id' : flawOf(secret);
    if (why !== null) doubts.push({ name: 'PROCORE_CLIENT_SECRET', why });
  }
  for (const value of Array.isArray(accepted) ? accepted.map(String) : []) {
    const own = value.replace(/^(bearer|basic|token) +/i, '');
    const why =
      typeof secret === 'string' && value.includes(secret)
        ? 'it holds the client secret, which is for the login server only'
        : flawOf(own);
    if (why !== null) doubts.push({ name: 'WEBHOOK_AUTHORIZATION', why });
  }
  return doubts;
}

function flawOf(value: string): string | null {
  if (QUOTED.test(value)) return 'it stands in quotes, which count';
  if (PLACEHOLDER.test(value)) return 'it looks like a placeholder';
  if (/\s/.test(value)) return 'it has blanks in it';
  return new Set(value).size < FEWEST_LETTERS ? 'it has few different characters' : null;
}
