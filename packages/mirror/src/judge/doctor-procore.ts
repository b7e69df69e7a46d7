// What Procore answered when `doctor` asked it.
import type { MirrorFacts } from '@procore-mirror/database';
import { counted } from '../plan/fill-in-words.ts';
import type { CompanyFacts, DoctorFacts, Examined, Found, SeenHook, ToolFacts } from './doctor-facts.ts';
import type { Facts } from './facts.ts';
import { namesInWords, quoted } from './in-words.ts';
import { about, OF_ALL } from './judged.ts';

export function examineLogin({ login }: DoctorFacts): Examined[] {
  if (login === null) return [];
  const { trouble } = login;
  if (trouble === null) return [{ check: 'login', detail: 'an access token was given', findings: [] }];
  const isRejected = trouble.reason === 'rejected';
  const common = { ...about(OF_ALL), severity: 'error', message: trouble.message } as const;
  const finding: Found = isRejected
    ? {
        ...{ ...common, code: 'credentials-refused' },
        fix: 'set PROCORE_CLIENT_ID and PROCORE_CLIENT_SECRET (or the file of the secret) to what the app has at Procore, and PROCORE_ENVIRONMENT to where it lives',
      }
    : { ...common, code: 'login-unreachable', fix: 'see that this machine reaches PROCORE_LOGIN_URL' };
  return [{ check: 'login', detail: isRejected ? 'refused' : 'not reached', findings: [finding] }];
}

/** `budget`: what is left of Procore's limits, as the last answers told. */
export function examineCompanies({ companies }: DoctorFacts, budget: MirrorFacts['budget'] | null): Examined[] {
  return companies.map((company) => ({
    check: `company ${company.companyId}`,
    detail: detailOfCompany(company, budget),
    findings: judgeCompany(company),
    isSkipped: company.answer === 'not asked',
  }));
}

function detailOfCompany({ companyId, answer, message }: CompanyFacts, budget: MirrorFacts['budget'] | null): string {
  if (answer !== 'well') return message ?? '';
  const windows = (budget?.windows ?? []).filter((one) => one.companyId === null || one.companyId === companyId);
  const window = windows.find((one) => one.window === 'hour' && one.isTold) ?? windows.find(({ isTold }) => isTold);
  const per = window?.window === 'hour' ? 'this hour' : 'ten seconds';
  return `the app is connected${window === undefined ? '' : `; ${window.left} of ${window.limit} calls of ${per} left`}`;
}

function judgeCompany({ companyId, answer, message }: CompanyFacts): Found[] {
  const common = { ...about({ companyId, projectId: null, resource: null }), severity: 'error' } as const;
  switch (answer) {
    case 'well':
    case 'not asked':
      return [];
    case 'refused':
      return [
        {
          ...{ ...common, code: 'company-not-connected' },
          message: `Procore refuses everything of company ${companyId}: the app is not connected there: ${message}.`,
          fix: `an admin of company ${companyId} connects the app again (App Management) and keeps its service account`,
        },
      ];
    case 'unknown':
      return [
        {
          ...{ ...common, code: 'company-unseen' },
          message: `Procore shows the service account no company ${companyId}: ${message}.`,
          fix: 'correct PROCORE_COMPANY_IDS and PROCORE_ENVIRONMENT, or have the company install the app',
        },
      ];
    case 'no answer':
      return [
        {
          ...{ ...common, code: 'procore-unreachable' },
          message: `Procore does not answer for company ${companyId}: ${message}.`,
          fix: 'see that this machine reaches PROCORE_API_URL, and https://status.procore.com',
        },
      ];
  }
}

export function examineTools({ tools }: DoctorFacts): Examined[] {
  const scopes = Map.groupBy(tools, ({ companyId, projectId }) => `${companyId}/${projectId ?? ''}`);
  return [...scopes.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const { companyId, projectId } = first;
    const place = projectId === null ? `company ${companyId}` : `project ${projectId}`;
    return [{ check: `permissions in ${place}`, detail: toolsInWords(own), findings: judgeTools(own, place) }];
  });
}

const ANSWERS = {
  ...{ open: 'readable', 'in part': 'readable in part', off: 'off', refused: 'refused', 'not found': 'not found' },
  ...{ unclear: 'unclear', 'not asked': 'not asked' },
} as const;

function toolsInWords(tools: readonly ToolFacts[]): string {
  return Object.entries(ANSWERS)
    .flatMap(([answer, words]) => {
      const own = tools.filter((one) => one.answer === answer).map(({ tool }) => tool);
      if (own.length === 0) return [];
      return [answer === 'open' ? `${counted(own.length, 'tool')} ${words}` : `${words}: ${own.join(', ')}`];
    })
    .join('; ');
}

/** One finding for each kind of answer: who lacks one permission often lacks many. */
function judgeTools(tools: readonly ToolFacts[], place: string): Found[] {
  const [first] = tools;
  if (first === undefined) return [];
  const { companyId, projectId } = first;
  const of = (...answers: ToolFacts['answer'][]) => tools.filter(({ answer }) => answers.includes(answer));
  const [refused, part, lost] = [of('refused'), of('in part'), of('not found')];
  const on = (own: readonly ToolFacts[]) => own.map(({ tool }) => tool).join(', ');
  const common = { ...about({ companyId, projectId, resource: null }) };
  const where =
    projectId === null
      ? `the company's Directory, permissions of the service account`
      : `the Directory of project ${projectId}, permission template of the service account`;
  return [
    ...(refused.length === 0
      ? []
      : [
          {
            ...({ ...common, code: 'tool-refused', severity: 'error' } as const),
            message: `The service account may not read ${on(refused)} in ${place}: ${refused[0]?.message}.`,
            fix: `give it Read Only or more on ${on(refused)} (${where}), or leave out (MIRROR_RESOURCES) what belongs to ${refused.length === 1 ? 'it' : 'them'}`,
          },
        ]),
    ...part.map(
      ({ tool, resources, message }): Found => ({
        ...{ ...common, code: 'tool-refused', severity: 'warning' },
        message: `Of ${tool} the service account may not read ${namesInWords(resources)} in ${place}, which is a permission of its own: ${message}.`,
        fix: `give it the permission for ${namesInWords(resources)} (${where}), or leave it out (MIRROR_RESOURCES)`,
      }),
    ),
    ...(lost.length === 0
      ? []
      : [
          {
            ...({ ...common, code: 'tool-not-found', severity: 'warning' } as const),
            message: `Procore finds no list of ${on(lost)} in ${place}: the tool is off there, or not for the service account to see: ${lost[0]?.message}.`,
            fix: `look whether ${on(lost)} ${lost.length === 1 ? 'is' : 'are'} on there; if so, give the service account Read Only or more (${where})`,
          },
        ]),
  ];
}

/** What was looked at now, in place of what the mirror knew; judged by the rules of all hooks. */
export function withSeenHooks(facts: Facts, hooks: DoctorFacts['hooks']): Facts {
  if (hooks === null) return facts;
  const { seen, scopes, late } = hooks;
  const groups = [...Map.groupBy(seen, ({ state }) => state)].flatMap(([state, own]) =>
    state === null ? [] : [groupOf(state, own, facts.hooks)],
  );
  const isWhole = seen.length >= scopes;
  // Of what was not looked at the mirror knows what it knows.
  const others = isWhole ? [] : facts.hooks.filter(({ state }) => !groups.some((group) => group.state === state));
  const askedAt = facts.now;
  const news = late.filter(({ companyId }) => !facts.undelivered.some((one) => one.companyId === companyId));
  return {
    ...{ ...facts, hooks: [...groups, ...others], unseenHooks: isWhole ? [] : facts.unseenHooks },
    undelivered: [...facts.undelivered, ...news.map((one) => ({ ...one, askedAt }))],
  };
}

function groupOf(
  state: NonNullable<SeenHook['state']>,
  own: readonly SeenHook[],
  known: MirrorFacts['hooks'],
): MirrorFacts['hooks'][number] {
  const places = own.map(({ companyId, projectId }) => ({ companyId, projectId, resource: null }));
  const common = (values: readonly (string | null)[]) => (new Set(values).size === 1 ? (values[0] ?? null) : null);
  return {
    ...{
      state,
      count: own.length,
      first: places.slice(0, 3),
      finding: own.find(({ finding }) => finding)?.finding ?? null,
    },
    since: known.find((group) => group.state === state)?.since ?? null,
    companyId: common(places.map(({ companyId }) => companyId)),
    projectId: common(places.map(({ projectId }) => projectId)),
    resource: null,
  };
}

/** What was seen of hooks; their findings are those of the mirror, for one place judges them. */
export function examineHooks({ hooks }: DoctorFacts): Examined[] {
  if (hooks === null) return [];
  const wrong = hooks.seen.filter(({ state }) => state !== null);
  const seen = `${hooks.seen.length} of ${counted(hooks.scopes, 'scope')} looked at`;
  const detail =
    wrong.length === 0 ? `${seen}, all as they should be` : `${seen}, ${wrong.length} not as they should be`;
  const secret =
    hooks.secret === null ? '' : `. ${hooks.secret} \`pnpm mirror hooks status\` tells whether the old one may go`;
  return [{ check: 'hooks', detail: `${detail}${secret}`, findings: [] }];
}

export function examineDeprecated({ deprecated }: DoctorFacts): Examined[] {
  if (deprecated === null) return [];
  const findings = deprecated.map(({ path, resources, calls, lastAt }): Found => {
    const used = resources.length === 0 ? '' : `, for ${namesInWords(resources)}`;
    const made = calls === 0 ? 'no call of the last seven days' : `${counted(calls, 'call')} in the last seven days`;
    return {
      ...about({ companyId: null, projectId: null, resource: resources.length === 1 ? (resources[0] ?? null) : null }),
      ...{ code: 'deprecated-calls', severity: 'warning' },
      message: `Procore has deprecated ${path}, which is called${used} (${made}${lastAt === null ? '' : `, the last at ${lastAt}`}): it goes away after a year, and each call costs the grade of the app.`,
      fix:
        resources.length === 0
          ? 'see which program calls it with these credentials, and update procore-mirror'
          : `take ${resources.map(quoted).join(', ')} out of MIRROR_CATALOGUE, or name another path there`,
    };
  });
  const detail = findings.length === 0 ? 'none' : counted(findings.length, 'path');
  return [{ check: 'deprecated calls', detail, findings }];
}
