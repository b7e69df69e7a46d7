// What a project tells of itself in one call: its tools, and how many daily logs it has (docs/procore.md: Tools).
import { type CataloguedResource, catalogue } from '../catalogue.ts';
import type { Clock } from '../clock.ts';
import type { Settings } from '../settings.ts';
import { mayRead, stateAt, type World } from '../world/world.ts';
import { type Answer, type Call, errorAnswer, jsonAnswer } from './http-exchange.ts';
import { filterList } from './list-filters.ts';
import { cutPage } from './pages.ts';
import { NOT_FOUND } from './records-api.ts';

export type ProjectFact = 'tools' | 'log counts';
export type AnswerProjectFacts = (
  call: Call,
  asked: { fact: ProjectFact; projectId: string },
  companyId: string,
) => Answer;

const FACTS: readonly [RegExp, ProjectFact][] = [
  [/^\/rest\/v1\.0\/projects\/(\d+)\/tools$/, 'tools'],
  [/^\/rest\/v1\.1\/projects\/(\d+)\/daily_logs\/counts$/, 'log counts'],
];

/** What the path asks of which project; null: nothing of the kind. */
export function findProjectFact(path: string): { fact: ProjectFact; projectId: string } | null {
  for (const [pattern, fact] of FACTS) {
    const projectId = pattern.exec(path)?.[1];
    if (projectId !== undefined) return { fact, projectId };
  }
  return null;
}

export function createAnswerProjectFacts({
  world,
  clock,
  settings,
}: {
  world: World;
  clock: Clock;
  settings: () => Settings;
}): AnswerProjectFacts {
  const entries = catalogue.mirrored.filter(({ scope }) => scope === 'project');
  const titles = [...new Set(entries.map(({ tool }) => tool))];
  const logs = entries.filter(({ tool, list }) => tool === 'Daily Log' && list?.todayOnly === true);

  return (call, { fact, projectId }, companyId) => {
    const project = world.find('Projects', { companyId, projectId: null, id: projectId });
    if (project === undefined || stateAt(project, clock.now()) === null) return errorAnswer(call, 404, NOT_FOUND);
    if (!world.access(projectId).permitted) return errorAnswer(call, 403, FORBIDDEN);
    if (fact === 'tools') return inPages(call, toolsOf(call, companyId, projectId));
    const [log] = logs;
    if (log === undefined || !mayRead(world, log, companyId, projectId)) return errorAnswer(call, 403, FORBIDDEN);
    return inPages(
      call,
      logs.map((entry, index) => countOf(call, entry, index, { companyId, projectId })),
    );
  };

  function toolsOf({ query }: Call, companyId: string, projectId: string): unknown[] {
    const wanted = query.get('filters[is_active]');
    const off = new Set([...world.access(projectId).toolsOff, ...(world.companies.get(companyId)?.toolsOff ?? [])]);
    const tools = titles.map((title, index) => ({
      id: 598134325100000 + index,
      engine_name: nameOf(title),
      is_active: !off.has(title),
      position: index + 1,
      required: title === 'Admin' || title === 'Directory',
      title,
    }));
    return tools.filter(({ is_active }) => wanted === null || String(is_active) === wanted);
  }

  function countOf(
    { query }: Call,
    entry: CataloguedResource,
    index: number,
    scope: { companyId: string; projectId: string },
  ): unknown {
    // Who is no Admin is counted approved logs, whatever is asked for.
    const status = settings().isDailyLogAdmin ? (query.get('filters[status]') ?? 'approved') : 'approved';
    const asked = new URLSearchParams([...query].filter(([name]) => name !== 'filters[status]'));
    asked.set('filters[status]', status);
    const options = { query: asked, now: clock.now(), shows: 'live' as const, scope, bins: settings() };
    const found = filterList(entry, world.within(entry.resource, scope), options);
    return { module_name: nameOf(entry.resource).replace(/s$/, ''), count: found.length, position: index + 1 };
  }
}

const FORBIDDEN = 'You do not have permission to perform this action.';

function inPages(call: Call, rows: readonly unknown[]): Answer {
  const { items, headers } = cutPage(rows, call, { version2: false });
  return jsonAnswer(200, items, headers);
}

/** `Punch List`: `punch_list`. How Procore spells these is not published. */
function nameOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replace(/_$/, '');
}
