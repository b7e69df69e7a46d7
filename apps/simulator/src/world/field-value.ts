// Believable values for the fields of records, found by the name and type that the catalogue gives a column.
import type { CataloguedResource } from '../catalogue.ts';
import { dateOf, wholeSeconds } from '../clock.ts';
import { numberOf } from '../json.ts';
import type { Random } from '../random.ts';

export type Column = CataloguedResource['table']['columns'][number];
export type Person = { id: string; name: string; login: string };

/** What values are made from: chance, the time, and the people and firms of the company. */
export type Surroundings = {
  random: Random;
  nowMs: number;
  resource: string;
  projectId: string | null;
  newId: () => string;
  person: () => Person;
};

type Value = (surroundings: Surroundings) => unknown;
type Rule = readonly [RegExp, Value];

const DAY_MS = 86_400_000;

const subjects = ['Door schedule', 'Footing at grid C4', 'Curtain wall anchors', 'Roof drain', 'Stair 2 handrail'];
const questions = ['clarify dimension', 'conflict with structural', 'missing detail', 'substitution', 'field change'];
const cities = ['Carpinteria', 'Austin', 'Toronto', 'Sydney', 'Zürich'];
const trades = ['Concrete', 'Electrical', 'Drywall', 'Plumbing', 'Steel'];
const firms = ['Ridge Concrete', 'Volt & Sons', 'Nordic Glazing', 'Harbor Steel', 'Ångström Plumbing'];
const firstNames = ['Ana', 'Bo', 'Chidi', 'Dora', 'Émile', 'Farah', 'Goran', 'Hana', 'Ivo', 'Jun'];
const lastNames = ["O'Neil", 'Müller', 'Okafor', 'Smith', 'Tanaka', 'Vargas', 'Walsh', 'Žižka'];

const oneOf =
  (...values: unknown[]): Value =>
  ({ random }) =>
    random.pick(values);
const phrase: Value = ({ random }) =>
  `${random.pick(subjects)}: ${random.pick(questions)} (${random.between(100, 9999)})`;
const idNumber: Value = ({ newId }) => numberOf(newId());
const asPerson: Value = ({ person }) => {
  const { id, name, login } = person();
  return { id: numberOf(id), login, name };
};
const named =
  (names: readonly string[]): Value =>
  (at) => ({ id: idNumber(at), name: at.random.pick(names) });
const listOf =
  (value: Value, most: number): Value =>
  (at) =>
    Array.from({ length: at.random.between(0, most) }, () => value(at));
const money: Value = ({ random }) =>
  `${random.between(0, 2_000_000)}.${String(random.between(0, 99)).padStart(2, '0')}`;
const moment: Value = ({ random, nowMs }) => wholeSeconds(nowMs - random.between(0, 400 * DAY_MS));
const day: Value = ({ random, nowMs }) => dateOf(nowMs + random.between(-200, 200) * DAY_MS);

const file: Value = (at) => {
  const id = at.newId();
  const filename = `${at.random.pick(['plan', 'photo', 'detail'])}-${id.slice(-4)}.pdf`;
  return { id: numberOf(id), url: `https://storage.procore.com/v4/d/us-east-1/${id}`, name: filename, filename };
};
const customFields: Value = ({ random }) => ({
  custom_field_598134325000101: { data_type: 'string', value: random.pick([null, 'north', 'süd', '東']) },
  custom_field_598134325000102: { data_type: 'decimal', value: random.between(0, 5000) / 4 },
  custom_field_598134325000103: { data_type: 'boolean', value: random.chance(0.5) },
});
const question: Value = (at) => ({
  id: idNumber(at),
  body: `<p>${phrase(at)}</p>`,
  plain_text_body: phrase(at),
  question_date: moment(at),
  created_by: asPerson(at),
  attachments: listOf(file, 1)(at),
});

const jsonRules: readonly Rule[] = [
  [/^custom_fields$/, customFields],
  [/^questions$/, (at) => [question(at)]],
  [/^(attachments|images|web_images|comments)$/, listOf(file, 2)],
  [/_ids$/, listOf(idNumber, 3)],
  [/^(assignees|ball_in_courts|distribution_(list|members)|inspectors)$/, listOf(asPerson, 3)],
  [/^(approvers|assignments)$/, listOf((at) => ({ id: idNumber(at), user: asPerson(at), comment: phrase(at) }), 2)],
  [/(_by|manager|assignee|_from|approver|contact|user|ball_in_court|signer)$/, asPerson],
  [/^(vendor|responsible_contractor|company|business)$/, named(firms)],
  [/^(project)$/, ({ projectId }) => ({ id: projectId === null ? null : numberOf(projectId), name: 'Harbor Tower' })],
  [/^trade$/, named(trades)],
  [/^(location|specification_section|cost_code|wbs_code)$/, named(['North wing', '03 30 00', '01-500', 'Level 2'])],
  [/^status$/, (at) => ({ id: idNumber(at), name: 'Open', status: 'Open' })],
  [/_impact$/, oneOf({ status: 'yes_known', value: 1200 }, { status: 'no_impact', value: null }, null)],
  [/^currency_configuration$/, oneOf({ currency_iso_code: 'USD', currency_precision: 2 })],
  [/^permissions$/, oneOf({ can_update: true, can_delete: false })],
  [/(s|_logs|list)$/, listOf(named(subjects), 2)],
  [/./, named(subjects)],
];

const textRules: readonly Rule[] = [
  [/^(email|login)|_email/, ({ person }) => person().login],
  [/phone|fax/, ({ random }) => `805-555-0${random.between(100, 999)}`],
  [/(url|avatar|logo|website)$/, ({ newId }) => `https://storage.procore.com/v4/d/us-east-1/${newId()}`],
  [/^city$|county/, oneOf(...cities)],
  [/address$/, ({ random }) => `${random.between(1, 9999)} Carpinteria Ave`],
  [/^state_code$/, oneOf('CA', 'TX', 'ON')],
  [/^country_code$/, oneOf('US', 'CA', 'CH')],
  [/^zip$/, ({ random }) => String(random.between(10_000, 99_999))],
  [/time_zone|tz_name/, oneOf('America/Los_Angeles')],
  [/^first_name$/, oneOf(...firstNames)],
  [/^last_name$/, oneOf(...lastNames)],
  [
    /^(number|project_number|formatted_number|full_number|code|reference)$/,
    ({ random }) => `${random.between(1, 9999)}`,
  ],
  [/^origin_/, ({ random }) => (random.chance(0.7) ? null : `ERP-${random.between(1, 99_999)}`)],
  [/^priority$/, oneOf('low', 'medium', 'high')],
  [/^uom$/, oneOf('ea', 'sf', 'm³', 'hr')],
  [/rich_text/, (at) => `<p>${phrase(at)} — “quoted” &amp; <b>bold</b></p>`],
  [/(cost|schedule)_impact$/, oneOf('yes_known', 'yes_unknown', 'no_impact', 'tbd', 'n_a')],
  [/trade_name|discipline/, oneOf(...trades)],
  [/status$/, oneOf('open', 'closed', 'draft')],
  [/time/, ({ random }) => `${String(random.between(6, 18)).padStart(2, '0')}:00`],
  [/./, phrase],
];

/** The day of an entry in a daily log: lately. */
export const logDay: Value = ({ random, nowMs }) => dateOf(nowMs - random.between(0, 20) * DAY_MS);

/** What a field holds in a resource where its name alone would mislead, and enumerations that the reference gives. */
const special: Readonly<Record<string, Value>> = {
  'Submittals.ball_in_court': listOf(asPerson, 2),
  'Punch Items.ball_in_court': listOf(asPerson, 2),
  'Punch Items.status': oneOf('Open', 'Closed', 'Overdue', 'Pending'),
  'Inspection Checklists.status': oneOf('Open', 'In Review', 'Closed'),
  'Purchase Order Contracts.status': oneOf('Draft', 'Processing', 'Submitted', 'Approved', 'Closed'),
  'Purchase Order Contracts.accounting_method': oneOf('amount', 'unit'),
  // The list shows approved entries only, so most are.
  'Manpower Logs.status': ({ random }) => (random.chance(0.85) ? 'approved' : 'pending'),
  'Change Events.status': oneOf({ id: 598134325000201, name: 'Open', mapped_to_status: 'open' }),
  'Change Events.change_reason': oneOf({ id: 598134325000202, change_reason: 'Client Request' }, null),
};

const ruled = (rules: readonly Rule[], name: string): Value =>
  rules.find(([pattern]) => pattern.test(name))?.[1] ?? phrase;

const byType: Record<Column['type'], (column: Column) => Value> = {
  text: ({ name }) => ruled(textRules, name),
  jsonb: ({ name }) => ruled(jsonRules, name),
  bigint: ({ name }) => (name.endsWith('_id') ? idNumber : ({ random }) => random.between(0, 400)),
  boolean: () => oneOf(true, false),
  date: () => day,
  timestamptz: () => moment,
  // Most decimals come as strings; the catalogue's note says which.
  numeric: ({ note }) => (note?.includes('string') === true ? money : (at) => numberOf(String(Number(money(at))))),
};

// Fields that every record has a value in, because people see records by them or because scopes depend on them.
const NEVER_NULL =
  /^(id|name|title|subject|number|status|date|created_at|updated_at|active|is_active|questions|custom_fields|change_reason)$/;

/** A value for the column; now and then null, as most fields of Procore may be. */
export function fieldValue(column: Column, surroundings: Surroundings): unknown {
  if (!NEVER_NULL.test(column.name) && surroundings.random.chance(0.12)) return null;
  const value = special[`${surroundings.resource}.${column.name}`] ?? byType[column.type](column);
  return value(surroundings);
}

const awkwardByType: Record<Column['type'], Value> = {
  text: oneOf(
    'nul \u0000 in a string',
    'emoji 👷🏽‍♀️🚧 and a lone surrogate \ud800',
    'tab\there "quotes" \\ backslash',
    '',
  ),
  jsonb: (at) => ({
    id: numberOf('9007199254740993'),
    note: 'nul \u0000 inside',
    list: [null, {}, [[]]],
    more: idNumber(at),
  }),
  bigint: oneOf(numberOf('9007199254740993'), null),
  boolean: oneOf(null),
  date: oneOf('0001-01-01', '9999-12-31', null),
  timestamptz: oneOf('2026-02-29T24:61:00Z', '2026-11-23T17:52:30.123456+05:45', null),
  numeric: oneOf('123456789012345678901234567.890', numberOf('0.123456789012345678901234567891'), 'n/a', null),
};

/** A value of the kind that breaks careless readers, still possible for Procore to send. */
export function awkwardValue(column: Column, surroundings: Surroundings): unknown {
  return awkwardByType[column.type](surroundings);
}
