// Everything a client of Procore talks to: signing in and /rest. Each call is counted, meets the faults that were
// ordered, and passes token, limits, company header and installation before it reaches what it asked for.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { numberOf } from '../json.ts';
import type { Random } from '../random.ts';
import type { AnswerWebhooks } from '../webhooks/webhooks-api.ts';
import type { World } from '../world/world.ts';
import type { Calls } from './calls.ts';
import type { CallFacts, Effect, Faults } from './faults.ts';
import { type Answer, type Call, errorAnswer, jsonAnswer, readCall } from './http-exchange.ts';
import { LIMIT_MESSAGE, type Limits, limitHeaders } from './limits.ts';
import type { Client, Login } from './login.ts';
import { createMakeNonsense } from './nonsense.ts';
import { type AnswerProjectFacts, findProjectFact, type ProjectFact } from './project-facts.ts';
import { type AnswerRecords, isBinCall, NOT_FOUND } from './records-api.ts';
import { type FindRoute, type Match, resourceOf } from './routes.ts';
import { sendAnswer } from './send-answer.ts';

export type ProcoreApi = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

type Options = {
  world: World;
  clock: Clock;
  random: Random;
  login: Login;
  limits: Limits;
  faults: Faults;
  calls: Calls;
  findRoute: FindRoute;
  answerRecords: AnswerRecords;
  answerProjectFacts: AnswerProjectFacts;
  answerWebhooks: AnswerWebhooks;
  /** Aborted when the simulator closes. */
  signal: AbortSignal;
};

const WEBHOOKS_PATH = /^\/rest\/v2\.0\/companies\/(\d+)(?:\/projects\/(\d+))?\/webhooks\/(.+)$/;

type Target =
  | { kind: 'records'; match: Match }
  | { kind: 'webhooks'; companyId: string; projectId: string | null; rest: string[] }
  | { kind: 'project fact'; fact: ProjectFact; projectId: string }
  | { kind: 'token' | 'token info' | 'companies' | 'me' | 'unknown' };

export function createProcoreApi(options: Options): ProcoreApi {
  const { world, clock, random, login, limits, faults, calls, findRoute, signal } = options;
  const { answerRecords, answerProjectFacts, answerWebhooks } = options;
  const makeNonsense = createMakeNonsense({ world, random });

  return async (request, response) => {
    const call = await readCall(request);
    const target = findTarget(call);
    const client = login.clientOf(call);
    const facts = factsOf(call, target, client);
    const note = (status: number | null): void => {
      const at = new Date(clock.now()).toISOString();
      const missingCompanyHeader = call.path.startsWith('/rest/') && call.companyHeader === undefined;
      const { kind, resource, clientId, companyId } = facts;
      calls.note({
        at,
        method: call.method,
        path: call.path,
        query: String(call.query),
        kind,
        resource,
        clientId,
        companyId,
        status,
        missingCompanyHeader,
      });
    };
    const effect = faults.strike(facts);
    const latencyMs = latencyOf(effect);
    // Procore reads a record somewhere between question and answer: what arrives may be older than it looks.
    const readAfterMs = latencyMs * random.next();
    await wait(readAfterMs);
    const answer = answerCall(call, target, client, effect);
    await wait(latencyMs - readAfterMs);
    const complete = effect.reset !== true && effect.hang !== true && effect.truncate !== 'connection';
    note(complete ? answer.status : null);
    if (effect.reset === true) response.destroy();
    else if (effect.hang !== true && !response.destroyed) await sendAnswer(response, answer, effect, clock.now());
  };

  function latencyOf({ latencyMs = 0 }: Effect): number {
    return typeof latencyMs === 'number' ? latencyMs : random.between(latencyMs[0], latencyMs[1]);
  }

  async function wait(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
  }

  function answerCall(call: Call, target: Target, client: Client | null, effect: Effect): Answer {
    if (target.kind === 'token') return answerSignIn(call, effect);
    if (target.kind === 'token info') return login.info(call);
    if (client === null) {
      return { ...errorAnswer(call, 401, 'The access token is invalid'), headers: { 'WWW-Authenticate': 'Bearer' } };
    }
    const { allowed, headers } = limits.count({ clientId: client.id, companyId: call.companyHeader });
    const answer = allowed ? answerAllowed(call, target, client, effect) : errorAnswer(call, 429, LIMIT_MESSAGE);
    return { ...answer, headers: { ...headers, ...answer.headers } };
  }

  function answerSignIn(call: Call, effect: Effect): Answer {
    if (effect.status !== undefined) return faulty(call, effect);
    return effect.nonsense === true ? makeNonsense(call) : login.token(call);
  }

  function answerAllowed(call: Call, target: Target, client: Client, effect: Effect): Answer {
    if (effect.status !== undefined) return faulty(call, effect);
    const companyId = call.companyHeader;
    if (companyId === undefined || companyId === '') return errorAnswer(call, 404, NOT_FOUND);
    if (!client.companies.has(companyId) || !world.companies.has(companyId)) {
      return errorAnswer(call, 403, ['App is not connected to this company.']);
    }
    if (effect.nonsense !== true) return answerTarget(call, target, client, companyId);
    if (target.kind !== 'records') return makeNonsense(call);
    return makeNonsense(call, { match: target.match, right: answerTarget(call, target, client, companyId) });
  }

  function answerTarget(call: Call, target: Target, client: Client, companyId: string): Answer {
    if (target.kind === 'webhooks') return onWebhooks(call, target, companyId);
    if (call.method !== 'GET') return errorAnswer(call, 404, NOT_FOUND);
    switch (target.kind) {
      case 'records':
        return answerRecords(call, target.match, companyId);
      case 'project fact':
        return answerProjectFacts(call, target, companyId);
      case 'companies':
        return jsonAnswer(200, companiesOf(client));
      case 'me':
        return jsonAnswer(200, {
          id: 598134325000002,
          login: `${client.id}@dmsa.example.com`,
          name: 'Service Account',
        });
      default:
        return errorAnswer(call, 404, NOT_FOUND);
    }
  }

  function onWebhooks(call: Call, target: Target & { kind: 'webhooks' }, companyId: string): Answer {
    const { projectId, rest } = target;
    if (target.companyId !== companyId) return errorAnswer(call, 404, NOT_FOUND);
    if (projectId !== null) {
      if (world.find('Projects', { companyId, projectId: null, id: projectId }) === undefined) {
        return errorAnswer(call, 404, NOT_FOUND);
      }
      if (!world.access(projectId).permitted) return errorAnswer(call, 403, 'You do not have permission.');
    }
    return answerWebhooks(call, { companyId, projectId }, rest);
  }

  function companiesOf(client: Client): unknown[] {
    const installed = [...world.companies.values()].filter(({ id }) => client.companies.has(id));
    return installed.map(({ id, name }) => ({
      id: numberOf(id),
      name,
      is_active: true,
      logo_url: null,
      pcn_business_experience: null,
    }));
  }

  function findTarget({ path, query }: Call): Target {
    switch (path.replace(/\/$/, '')) {
      case '/oauth/token':
        return { kind: 'token' };
      case '/oauth/token/info':
        return { kind: 'token info' };
      case '/rest/v1.0/companies':
        return { kind: 'companies' };
      case '/rest/v1.0/me':
        return { kind: 'me' };
    }
    const [, companyId, projectId, rest] = WEBHOOKS_PATH.exec(path) ?? [];
    if (companyId !== undefined && rest !== undefined) {
      return { kind: 'webhooks', companyId, projectId: projectId ?? null, rest: rest.split('/') };
    }
    const fact = findProjectFact(path);
    if (fact !== null) return { kind: 'project fact', ...fact };
    const match = findRoute(path, query);
    return match === undefined ? { kind: 'unknown' } : { kind: 'records', match };
  }

  function faulty(call: Call, { status = 500, retryAfterSeconds, body }: Effect): Answer {
    const answer = errorAnswer(call, status, status === 429 ? LIMIT_MESSAGE : 'Something is broken.');
    const resetAt = clock.now() + (retryAfterSeconds ?? 10) * 1000;
    const headers = {
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
      ...(status === 429 && limitHeaders(25, 0, resetAt)),
    };
    return { ...answer, headers, ...(body !== undefined && { body }) };
  }
}

function factsOf(call: Call, target: Target, client: Client | null): CallFacts {
  const known = { companyId: call.companyHeader ?? null, clientId: client?.id ?? null };
  switch (target.kind) {
    case 'records': {
      const { route, values } = target.match;
      const recordId = route.kind === 'show' ? (values.id ?? null) : null;
      return {
        ...known,
        kind: isBinCall(route, call.query) ? 'bin' : route.kind,
        resource: resourceOf(route),
        projectId: values.project_id ?? null,
        recordId,
      };
    }
    case 'webhooks':
      return { ...known, kind: 'webhooks', resource: null, projectId: target.projectId, recordId: null };
    case 'project fact':
      return { ...known, kind: 'other', resource: null, projectId: target.projectId, recordId: null };
    case 'token':
      return { ...known, kind: 'login', resource: null, projectId: null, recordId: null };
    default:
      return { ...known, kind: 'other', resource: null, projectId: null, recordId: null };
  }
}
