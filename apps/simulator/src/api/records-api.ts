// Reading records: the shows and lists of every catalogued resource, with what the service account may see.
import { type CataloguedResource, parentKeyOf, parentsOf } from '../catalogue.ts';
import type { Clock } from '../clock.ts';
import type { Settings } from '../settings.ts';
import { listTraits } from '../world/list-traits.ts';
import { type Fields, mayRead, stateAt, type World, type WorldRecord } from '../world/world.ts';
import { type Answer, type Call, errorAnswer } from './http-exchange.ts';
import { filterList, isBinAsked } from './list-filters.ts';
import { cutPage } from './pages.ts';
import type { Match, Route } from './routes.ts';
import { isInData, isVersion2, listedFields, shownFields, withStringIds, writeInAnyOrder } from './show-record.ts';

export type AnswerRecords = (call: Call, match: Match, companyId: string) => Answer;

export const NOT_FOUND = 'Not found';

/** Does the call ask for what was deleted? */
export function isBinCall({ kind, resources, shows }: Route, query: URLSearchParams): boolean {
  return kind === 'list' && resources.some((entry) => isBinAsked(entry, { query, shows }));
}

export function createAnswerRecords({
  world,
  clock,
  settings,
}: {
  world: World;
  clock: Clock;
  settings: () => Settings;
}): AnswerRecords {
  let turn = 0;

  return (call, match, companyId) => {
    const { route, values } = match;
    const missing = route.required.filter((name) => call.query.get(name) === null);
    if (missing.length > 0) {
      return errorAnswer(call, 400, Object.fromEntries(missing.map((name) => [name, ['is required']])));
    }
    if (values.company_id !== undefined && values.company_id !== companyId) return errorAnswer(call, 404, NOT_FOUND);
    turn += 1;
    const answers = route.resources.map((entry) =>
      route.kind === 'show' ? show(call, entry, values, companyId) : records(call, entry, match, companyId),
    );
    const answer = answers.find((found) => !('status' in found)) ?? answers[0];
    if (answer === undefined || 'status' in answer) return answer ?? errorAnswer(call, 404, NOT_FOUND);
    return 'shown' in answer ? writeShow(call, match, answer.shown) : writeList(call, match, answers);
  };

  type Values = Readonly<Record<string, string>>;
  type Found = Answer | { shown: Fields } | { listed: readonly WorldRecord[] };

  function show(call: Call, entry: CataloguedResource, values: Values, companyId: string): Found {
    const projectId = values.project_id ?? null;
    const record = world.find(entry.resource, { companyId, projectId, id: values.id ?? '' });
    const scopeId = entry.resource === 'Projects' ? (values.id ?? null) : (projectId ?? projectOf(record));
    const refusal = refuse(call, entry, companyId, scopeId);
    if (refusal !== null) return refusal;
    const fits = record !== undefined && isPlaced(record, values);
    const shown = fits ? shownFields(record, clock.now()) : null;
    return shown === null ? errorAnswer(call, 404, NOT_FOUND) : { shown };
  }

  /** Is the record in the project and under the parents that the path names? */
  function isPlaced(record: WorldRecord, values: Values): boolean {
    const state = stateAt(record, clock.now());
    if (state === null) return false;
    const { projectId, parent } = state;
    const asked = values.project_id;
    const parentId = values[parentKeyOf(record.entry) ?? ''];
    return (
      (projectId === null || asked === undefined || asked === projectId) &&
      (parentId === undefined || parentId === parent?.id) &&
      (parent === null || isPlaced(parent, values))
    );
  }

  function records(call: Call, entry: CataloguedResource, { route, values }: Match, companyId: string): Found {
    const parent = parentNamed(entry, values, companyId);
    if (parent === null) return errorAnswer(call, 404, NOT_FOUND);
    const projectId = entry.scope === 'project' ? (values.project_id ?? projectOf(parent)) : null;
    const refusal = refuse(call, entry, companyId, projectId);
    if (refusal !== null) return refusal;
    const scope = { companyId, projectId, ...(parent !== undefined && { parent }) };
    const options = { query: call.query, now: clock.now(), shows: route.shows, scope, bins: settings() };
    const listed = filterList(entry, world.within(entry.resource, scope), options);
    return {
      listed: entry.resource === 'Projects' ? listed.filter(({ id }) => world.access(id).permitted) : listed,
    };
  }

  function projectOf(record: WorldRecord | undefined): string | null {
    return record === undefined ? null : (stateAt(record, clock.now())?.projectId ?? null);
  }

  /** The parent whose children are listed; undefined when the path names none, null when it cannot be seen. */
  function parentNamed(entry: CataloguedResource, values: Values, companyId: string): WorldRecord | null | undefined {
    const id = values[parentKeyOf(entry) ?? ''];
    if (id === undefined) return undefined;
    const projectId = values.project_id ?? null;
    const parent = parentsOf(entry)
      .map((kind) => world.find(kind.resource, { companyId, projectId, id }))
      .find((found) => found !== undefined);
    return parent === undefined || !isPlaced(parent, values) || shownFields(parent, clock.now()) === null
      ? null
      : parent;
  }

  /** 404 for a project that is not there, 403 for what the service account may not read, null when all is well. */
  function refuse(call: Call, entry: CataloguedResource, companyId: string, projectId: string | null): Answer | null {
    if (projectId !== null) {
      const project = world.find('Projects', { companyId, projectId: null, id: projectId });
      if (project === undefined || stateAt(project, clock.now()) === null) return errorAnswer(call, 404, NOT_FOUND);
    }
    if (mayRead(world, entry, companyId, projectId)) return null;
    return errorAnswer(call, 403, 'You do not have permission to perform this action.');
  }

  function writeShow(call: Call, { route }: Match, fields: Fields): Answer {
    return { status: 200, body: wrapped(call, route.resources[0], write(call, fields)) };
  }

  function writeList(call: Call, { route }: Match, answers: readonly Found[]): Answer {
    const all = answers.flatMap((answer) => ('listed' in answer ? answer.listed : []));
    const version2 = isVersion2(call.path);
    const { maxPerPage } = listTraits(route.resources[0]?.resource ?? '');
    const { pageHeaders, linkOrigin, totalAbove, largestPage } = settings();
    const isBin = isBinCall(route, call.query);
    const asked = linkOrigin === null ? call : { ...call, origin: linkOrigin };
    const isWhole = isBin && route.resources[0]?.bin?.hasPages === false;
    const page = isWhole
      ? { items: all, headers: {}, perPage: 0 }
      : cutPage(all, asked, { version2, maxPerPage, totalAbove });
    const { items, headers, perPage } = page;
    if (perPage > (largestPage ?? perPage)) return errorAnswer(call, 500, 'Internal Server Error');
    const told = Object.entries(headers).filter(([name]) => pageHeaders.some((one) => one === name));
    const texts = items.flatMap((record) => {
      const fields = listedFields(record, clock.now());
      return fields === null ? [] : [write(call, fields)];
    });
    const body = grouped(route.resources[0], `[${texts.join(',')}]`, isBin);
    return { status: 200, headers: Object.fromEntries(told), body: wrapped(call, route.resources[0], body) };
  }

  function wrapped({ path }: Call, entry: CataloguedResource | undefined, body: string): string {
    return entry !== undefined && isInData(path, entry) ? `{"data":${body}}` : body;
  }

  /** Some lists come in groups, some with something beside them. */
  function grouped(entry: CataloguedResource | undefined, list: string, isBin: boolean): string {
    const within = entry?.list?.within ?? null;
    if (entry === undefined || within === null) return list;
    // Deleted meetings come without groups (docs/procore.md: Deletion).
    if (isBin) return `{"${within}":${list}}`;
    const group = `{"${listTraits(entry.resource).beside ?? 'group_title'}":"all","${within}":${list}}`;
    return listTraits(entry.resource).beside === undefined ? `[${group}]` : group;
  }

  function write(call: Call, fields: Fields): string {
    return writeInAnyOrder(isVersion2(call.path) ? (withStringIds(fields) as Fields) : fields, turn);
  }
}
