// Records as the API shows them: embedded children, list items that carry less, string ids in v2, keys in any order.
import type { CataloguedResource } from '../catalogue.ts';
import { isObject, textOf } from '../json.ts';
import { listTraits } from '../world/list-traits.ts';
import { repeatedIn } from '../world/repeated-children.ts';
import { childrenOf, type Fields, type State, stateAt, type WorldRecord } from '../world/world.ts';

/** Show's JSON of the record as a read at `now` sees it; null when it would be a 404. */
export function shownFields(record: WorldRecord, now: number): Fields | null {
  const state = stateAt(record, now);
  return state === null || state.deleted || state.hidden ? null : wholeFields(record, state, now);
}

/** The fields of that state, and the children as a read at `now` sees them. */
export function wholeFields(record: WorldRecord, { fields }: State, now: number): Fields {
  return { ...fields, ...embedded(record, fields, now) };
}

/** The item of a list. */
export function listedFields(record: WorldRecord, now: number): Fields | null {
  const state = stateAt(record, now);
  if (state === null || state.hidden) return null;
  const { resource, list } = record.entry;
  const whole = wholeFields(record, state, now);
  if (list?.carries !== 'part of the record') return whole;
  const { lacks, adds } = listTraits(resource);
  const lacking = new Set(lacks ?? jsonColumns(record.entry));
  const item = Object.fromEntries(Object.entries({ ...whole, ...adds }).filter(([key]) => !lacking.has(key)));
  if (resource === 'RFIs') item.questions = abbreviated(item.questions);
  return item;
}

/** `{…}` with its keys starting somewhere else each time: Procore's answers arrive in no particular key order. */
export function writeInAnyOrder(fields: Fields, turn: number): string {
  const keys = Object.keys(fields);
  const start = keys.length === 0 ? 0 : turn % keys.length;
  const turned = [...keys.slice(start), ...keys.slice(0, start)];
  return `{${turned.map((key) => `${JSON.stringify(key)}:${JSON.stringify(fields[key])}`).join(',')}}`;
}

/** In v2 answers all ids are strings. */
export function withStringIds(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withStringIds(item, key.replace(/s$/, '')));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withStringIds(inner, name)]));
  }
  return key === 'id' || key.endsWith('_id') ? textOf(value) : value;
}

/** Is the path one of the v2 APIs, with a wrapper and string ids? */
export function isVersion2(path: string): boolean {
  return path.startsWith('/rest/v2.');
}

/** Does the answer from this path stand in `data`? */
export function isInData(path: string, { resource }: Pick<CataloguedResource, 'resource'>): boolean {
  return isVersion2(path) || listTraits(resource).inData === true;
}

function embedded(record: WorldRecord, fields: Fields, now: number): Fields {
  const children = Map.groupBy(childrenOf(record, now), (child) => child.entry.resource);
  const added: Record<string, unknown> = {};
  for (const key of ['line_items', 'change_items']) if (key in fields) added[key] = [];
  for (const { resource, key } of repeatedIn(record.entry)) {
    const siblings = children.get(resource) ?? [];
    const shown = siblings.map((child) => shownFields(child, now)).filter((one) => one !== null);
    if (key === 'questions') added.questions = withAnswers(fields.questions, shown);
    else if (key === 'meeting_categories') added[key] = withTopics(added[key], resource, shown, fields);
    else added[key] = shown;
  }
  return added;
}

/** Topics stand under their category; here all under one that every meeting has. */
function withTopics(categories: unknown, resource: string, shown: readonly Fields[], { id }: Fields): unknown[] {
  const known = Array.isArray(categories) ? categories : [{ id, title: 'General', position: 0, meeting_topic: [] }];
  if (resource === 'Meeting Topics') return [{ ...known[0], meeting_topic: shown }, ...known.slice(1)];
  return [known[0], ...shown.map(({ id, title, position }) => ({ id, title, position, meeting_topic: [] }))];
}

/** Replies stand under the question they answer; here all under the first. */
function withAnswers(questions: unknown, answers: readonly Fields[]): unknown {
  if (!Array.isArray(questions)) return questions;
  return questions.map((question, index) =>
    isObject(question) ? { ...question, answers: index === 0 ? answers : [] } : question,
  );
}

function abbreviated(questions: unknown): unknown {
  if (!Array.isArray(questions)) return questions;
  return questions.map((question) =>
    isObject(question) ? { id: question.id, plain_text_body: question.plain_text_body } : question,
  );
}

function jsonColumns({ table }: CataloguedResource): string[] {
  return table.columns.filter(({ type }) => type === 'jsonb').map(({ name }) => name);
}
