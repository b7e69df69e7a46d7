// No edit lost, no row hidden or buried by one answer: stories of what went wrong once, each told with several resources.
// Procore is scripted, all else is real. Every story has a company of its own, so all are told at the same time: an absence
// takes two looks, seconds apart.
import { type Product, type ScriptedProcore, startScriptedProcore } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Companies, type Company, comesTo, type Row, scriptCompanies } from './scripted-company.ts';
import {
  aChangeEvent,
  aShape,
  attendees,
  changeEvents,
  changeOrders,
  drawingAreas,
  families,
  inRfi,
  knowRfis,
  knowRfq,
  lineItems,
  locations,
  noParents,
  notesLogs,
  putFamily,
  putRfi,
  putRfq,
  type Repeated,
  reasons,
  repeatedLineItems,
  repeatedReplies,
  replies,
  rfis,
  type Shape,
  topics,
  trades,
} from './scripted-records.ts';
import type { Place } from './scripted-world.ts';
import { type Mirror, startScriptedMirror } from './start-mirror.ts';

vi.setConfig({ testTimeout: 240_000 });

let procore: ScriptedProcore;
let companies: Companies;
let mirror: Mirror<Product>;

beforeAll(async () => {
  procore = await startScriptedProcore();
  companies = scriptCompanies(procore);
  mirror = await startScriptedMirror('redis', procore.url);
  await Promise.all([mirror.system.startIngest(), mirror.system.startWorker()]);
});
afterAll(async () => {
  await mirror.close();
  await procore.close();
});

/** Rows of a resource as they are whenever Procore is asked about the company, before it answers. */
function watch(company: Company, resource: string): { at: number; rows: Row[] }[] {
  const looks: { at: number; rows: Row[] }[] = [];
  // Not the question who we are, which tells that the company is there.
  procore.intercept(company.asks(/^(?!\/rest\/v1\.0\/me\?)/), async (answer, { at }) => {
    looks.push({ at, rows: await company.rows(resource) });
    return answer;
  });
  return looks;
}

/** Has Procore answer so many such requests with something else. */
function spoil(which: ReturnType<Company['asks']>, body: unknown, times: number): void {
  let left = times;
  const spoiling = procore.intercept(which, () => {
    left -= 1;
    if (left === 0) spoiling.end();
    return { body };
  });
}

const isLive = ({ deleted, hidden }: Row) => !deleted && !hidden;
const marks = async (company: Company, resource: string) =>
  (await company.rows(resource)).map(({ id, deleted, hidden }) => ({ id, deleted, hidden }));
const inProject = (company: Company, project: string) =>
  company.asks(new RegExp(`projects/${project}/|project_id=${project}`));

// 1. An edit during a slow read that a quick one overtakes.

test.concurrent.for([
  { family: changeEvents, slow: changeEvents.parent, quick: changeEvents.child },
  { family: changeEvents, slow: changeEvents.child, quick: changeEvents.parent },
  { family: attendees, slow: attendees.child, quick: attendees.parent },
  { family: topics, slow: topics.parent, quick: topics.child },
])(
  'an edit is not lost when a slow read for $slow ends after a quick one for $quick',
  async ({ family, slow, quick }) => {
    const company = companies.found(mirror);
    const id = { [family.parent]: 1, [family.child]: 5 };
    putFamily(company, family, 1, 'old', [5]);
    await company.tell(family.parent, 1);
    await company.settled();
    const held = procore.hold(company.asks(/(change_events|meetings)\/1\b/));
    await company.tell(slow, id[slow]!);
    await held.reached;
    await company.tell(quick, id[quick]!);
    await company.settled();
    putFamily(company, family, 1, 'new', [5]);
    await company.tell(slow, id[slow]!);
    await company.recorded();
    held.release();
    await company.endsRight();
  },
);

// 2. A record that Procore's copy does not have yet, and one that stays absent.

/** Procore's copy gets the record a while after it was first asked for: too late for one look, in time for the next. */
function comesLate(company: Company, put: () => void): void {
  let firstAt: number | null = null;
  company.whenAsked(({ at }) => {
    firstAt ??= at;
    if (at - firstAt > 5000) put();
  });
}

test.concurrent.for([rfis, notesLogs, drawingAreas, reasons, replies, lineItems, changeOrders])(
  'a record of $resource that Procore does not have yet when it is first asked for is there in the end',
  async (shape) => {
    const company = companies.found(mirror);
    await shape.prepare?.(company);
    comesLate(company, () => shape.put(company, 'late'));
    await company.tell(shape.resource, 5, { kind: 'create' });
    await company.endsRight();
    expect(await marks(company, shape.resource)).toEqual([{ id: '5', deleted: false, hidden: false }]);
  },
);

test.concurrent('of several that are listed together the one that comes late is there in the end', async () => {
  const company = companies.found(mirror);
  const put = (id: number) =>
    company.put('Locations', { project_id: company.projects[0] }, { id, name: `place ${id}` });
  for (const id of [1, 2]) put(id);
  const busy = procore.hold(company.asks());
  await company.tell('Locations', 1);
  await busy.reached;
  for (const id of [1, 2, 3]) await company.tell('Locations', id, { kind: 'create' });
  await company.recorded();
  comesLate(company, () => put(3));
  busy.release();
  await company.endsRight();
  expect((await marks(company, 'Locations')).at(-1)).toEqual({ id: '3', deleted: false, hidden: false });
});

test.concurrent.for([
  ...[rfis, replies].map((shape) => ({ ...shape, isKnown: true, known: 'that we hold' })),
  ...[notesLogs, drawingAreas, reasons, trades, lineItems, changeOrders].map((shape) => ({
    ...shape,
    isKnown: false,
    known: 'that we never had',
  })),
])('a record of $resource $known and that stays absent is hidden after two looks, and not before', async (shape) => {
  const company = companies.found(mirror);
  await shape.prepare?.(company);
  if (shape.isKnown) {
    shape.put(company, 'old');
    await company.tell(shape.resource, 5);
    await company.settled();
    shape.take(company);
  }
  const looks = watch(company, shape.resource);
  await company.tell(shape.resource, 5);
  await company.endsRight();
  expect(await marks(company, shape.resource)).toEqual([{ id: '5', deleted: false, hidden: true }]);
  expect(looks.flatMap(({ rows }) => rows).every(isLive)).toBe(true);
  expect(looks.at(-1)!.at - looks[0]!.at).toBeGreaterThan(5000);
  if (shape.calls !== undefined) expect(looks).toHaveLength(2 * shape.calls);
});

test.concurrent.for([rfis, drawingAreas, reasons, lineItems])(
  'a record of $resource that a delete event told of is buried after one look',
  async (shape) => {
    const company = companies.found(mirror);
    await shape.prepare?.(company);
    shape.put(company, 'old');
    await company.tell(shape.resource, 5);
    await company.settled();
    shape.take(company);
    const looks = watch(company, shape.resource);
    await company.tell(shape.resource, 5, { kind: 'delete' });
    await company.endsRight();
    expect(await marks(company, shape.resource)).toEqual([{ id: '5', deleted: true, hidden: false }]);
    if (shape.calls !== undefined) expect(looks).toHaveLength(shape.calls);
  },
);

test.concurrent('a hidden record that is there again comes back by itself when it is looked at again', async () => {
  const company = companies.found(mirror);
  await company.tell('RFIs', 5);
  await company.settled();
  expect(await marks(company, 'RFIs')).toEqual([{ id: '5', deleted: false, hidden: true }]);
  rfis.put(company, 'there again');
  await mirror.database.pool.query('update mirror.absences set look_at = now() where company_id = $1', [company.id]);
  await mirror.system.startWorker(); // looks at its start what is due
  await comesTo(async () => (await company.rows('RFIs')).filter(isLive).length, 1);
  await company.endsRight();
});

// 3. A record that moved.

async function moved({ resource, put }: Shape, company: Company): Promise<void> {
  put(company, 'here');
  await company.tell(resource, 5);
  await company.endsRight();
  put(company, 'there', company.projects[1]);
}

test.concurrent.for([
  { ...rfis, kind: 'update' },
  { ...drawingAreas, kind: 'delete' },
  { ...aChangeEvent, kind: 'delete' },
] as const)(
  'a moved record of $resource stays in its new project after the old one tells of it: $kind',
  async (shape) => {
    const company = companies.found(mirror);
    const [here, there] = company.projects;
    await moved(shape, company);
    await company.tell(shape.resource, 5, { project: there });
    await company.endsRight();
    await company.tell(shape.resource, 5, { project: here, kind: shape.kind });
    await company.endsRight();
  },
);

test.concurrent.for([
  { ...rfis, kind: 'delete' },
  { ...locations, kind: 'update' },
  { ...drawingAreas, kind: 'delete' },
  { ...aChangeEvent, kind: 'delete' },
  { ...aChangeEvent, kind: 'update' },
] as const)(
  'a moved record of $resource is in its new project though that answers late ($kind in the old)',
  async (shape) => {
    const company = companies.found(mirror);
    const [here, there] = company.projects;
    await moved(shape, company);
    const held = procore.hold(inProject(company, there));
    await company.tell(shape.resource, 5, { project: there });
    await held.reached;
    await company.tell(shape.resource, 5, { project: here, kind: shape.kind });
    await company.settled(here);
    held.release();
    await company.endsRight();
  },
);

test.concurrent.for([notesLogs, aChangeEvent])(
  'a moved record of $resource stays in its new project after a late answer of before',
  async (shape) => {
    const company = companies.found(mirror);
    const [here, there] = company.projects;
    shape.put(company, 'here');
    await company.tell(shape.resource, 5);
    await company.settled();
    const held = procore.hold(inProject(company, here));
    await company.tell(shape.resource, 5, { project: here });
    await held.reached;
    shape.put(company, 'there', there);
    await company.tell(shape.resource, 5, { project: there });
    await company.settled(there);
    held.release();
    await company.endsRight();
  },
);

test.concurrent.for(families)(
  'a record of $child that moved to another parent is there though that answers late',
  async (family) => {
    const company = companies.found(mirror);
    putFamily(company, family, 1, 'old', [5, 6]);
    putFamily(company, family, 2, 'old', []);
    for (const id of [1, 2]) await company.tell(family.parent, id);
    await company.settled();
    putFamily(company, family, 1, 'new', [6]);
    putFamily(company, family, 2, 'new', [5]);
    const held = procore.hold(company.asks(/(change_events|meetings)\/2\b/));
    await company.tell(family.parent, 2);
    await held.reached;
    await company.tell(family.child, 5);
    await company.lookedAt(family.child);
    held.release();
    await company.endsRight();
  },
);

/** Child 5 is under parent 1, and known there; then Procore has it under parent 2. */
async function getsAnotherParent(company: Company, { parent, child, putParent, putChild }: Repeated) {
  const put = (under: number, state: string) => {
    for (const id of [1, 2]) putParent(company, id, id === under ? [5] : []);
    putChild(company, under, 5, state);
  };
  put(1, 'old');
  for (const id of [1, 2]) await company.tell(parent, id);
  await company.settled();
  await company.tell(child, 5);
  await company.endsRight();
  return { move: () => put(2, 'new') };
}

test.concurrent.for([repeatedReplies, repeatedLineItems])(
  'a record of $child that moved to another parent stays there after a late answer of before',
  async (family) => {
    const company = companies.found(mirror);
    const { move } = await getsAnotherParent(company, family);
    const held = procore.hold(company.asks(/(replies|line_items)\/5\b/));
    await company.tell(family.child, 5);
    await held.reached;
    move();
    await company.tell(family.child, 5);
    await company.recorded();
    held.release();
    await company.endsRight();
  },
);

test.concurrent('the replies of an RFI that moved are where it is, although they tell nothing', async () => {
  const company = companies.found(mirror);
  const [here, there] = company.projects;
  const put = (project: string) => {
    putRfi(company, 1, [5, 6], project);
    for (const id of [5, 6]) company.put('RFI Replies', inRfi(company, 1, project), { id, name: project });
  };
  put(here);
  await company.tell('RFIs', 1);
  for (const id of [5, 6]) await company.tell('RFI Replies', id);
  await company.endsRight();
  put(there);
  await company.tell('RFIs', 1, { project: there });
  await company.settled(there);
  await company.tell('RFIs', 1, { project: here, kind: 'delete' });
  await company.endsRight();
});

test.concurrent.for(['delete', 'update'] as const)(
  'quotes move with their RFQ, and a late %s of it in the old project takes none of them',
  async (kind) => {
    const company = companies.found(mirror);
    const [here, there] = company.projects;
    await knowRfq(company);
    putRfq(company, there, 'new');
    await company.tell('Purchase Order Contracts', 3, { project: there });
    await company.tell('RFQs', 4, { project: there });
    await company.settled(there);
    await company.tell('RFQs', 4, { project: here, kind });
    await company.endsRight();
  },
);

// 4. A parent's answer that is no parent.

/** Each such answer, of one family after the other. */
const spoilt = noParents(changeEvents).map(([what], index) => {
  const family = families[index % families.length]!;
  return { family, child: family.child, what, body: noParents(family)[index]?.[1] };
});

test.concurrent.for(spoilt)(
  '$child stay while their parent is answered with $what, and end right',
  async ({ family, body }) => {
    const company = companies.found(mirror);
    putFamily(company, family, 1, 'old', [5, 6]);
    await company.tell(family.parent, 1);
    await company.settled();
    putFamily(company, family, 1, 'new', [5]);
    const looks = watch(company, family.child);
    spoil(company.asks(/\/1\?/), body, 2);
    await company.tell(family.child, 5);
    await company.endsRight();
    expect(looks.length).toBeGreaterThanOrEqual(3);
    expect(looks.slice(0, 3).map(({ rows }) => rows.filter(isLive).length)).toEqual([2, 2, 2]);
  },
);

const spoiltWithNews = [spoilt[4]!, spoilt[6]!, spoilt[7]!];

test.concurrent.for(spoiltWithNews)(
  '$child stay when their parent, which has news, is answered with $what, and end right',
  async ({ family, body }) => {
    const company = companies.found(mirror);
    putFamily(company, family, 1, 'old', [5, 6]);
    await company.tell(family.parent, 1);
    await company.settled();
    putFamily(company, family, 1, 'new', [5]);
    const looks = watch(company, family.child);
    spoil(company.asks(/\/1\?/), body, 1);
    await company.tell(family.parent, 1);
    await company.lookedAt();
    await company.settled();
    await company.tell(family.parent, 1);
    await company.endsRight();
    expect(looks.length).toBeGreaterThanOrEqual(2);
    expect(looks.slice(0, 2).map(({ rows }) => rows.filter(isLive).length)).toEqual([2, 2]);
  },
);

test.concurrent.for([
  { family: changeEvents, address: /change_events\?/, body: [{ id: 1, title: 'old', change_items: null }] },
  { family: attendees, address: /meetings\/1\?/, body: { id: 1, title: 'old' } },
  { family: topics, address: /meetings\/1\?/, body: { id: 1, title: 'old', meeting_categories: null } },
])(
  'a new record of $family.child is there in the end though its parent came without a list of them at first',
  async ({ family, address, body }) => {
    const company = companies.found(mirror);
    putFamily(company, family, 1, 'old', []);
    await company.tell(family.parent, 1);
    await company.settled();
    putFamily(company, family, 1, 'new', [7]);
    spoil(company.asks(address), body, 2);
    await company.tell(family.child, 7, { kind: 'create' });
    await company.endsRight();
  },
);

// 5. An answer that is no list of records.

type NoList = { resource: string; ids?: Place; isCompany?: boolean; list: RegExp; what: string; body: unknown };

const flawed = [{ id: 3, name: 'old', date: '2026-06-01' }, { name: 'nameless' }];

test.concurrent.for<NoList>([
  { resource: 'Locations', list: /locations\?/, what: 'a list of empty objects', body: [{}, {}] },
  { resource: 'Drawing Areas', list: /drawing_areas/, what: 'null', body: null },
  { resource: 'Drawing Areas', list: /drawing_areas/, what: 'a wrapper that is not its own', body: { data: [] } },
  { resource: 'Drawing Areas', list: /drawing_areas/, what: 'a list with a nameless element', body: flawed },
  { resource: 'Submittal Packages', list: /submittal_packages/, what: 'an error', body: { errors: 'none' } },
  {
    resource: 'Change Order Change Reasons',
    isCompany: true,
    list: /reasons/,
    what: 'null in data',
    body: { data: null },
  },
  {
    resource: 'Change Order Change Reasons',
    isCompany: true,
    list: /reasons/,
    what: 'a list without wrapper',
    body: [],
  },
  { resource: 'Line Item Types', isCompany: true, list: /line_item_types\?/, what: 'text', body: 'maintenance' },
  { resource: 'Notes Logs', list: /notes_logs\?/, what: 'a message', body: { message: 'ok' } },
  {
    resource: 'Drawings',
    ids: { drawing_area_id: '1' },
    list: /areas\/1\/drawings/,
    what: 'an empty object',
    body: {},
  },
])(
  'no row of $resource is hidden by $what where a list is due, and the news comes through',
  async ({ resource, ids = {}, isCompany = false, list, body }) => {
    const company = companies.found(mirror);
    const project = { project_id: company.projects[0] };
    const place = { ...ids, ...(!isCompany && project) };
    const write = (name: string, of: readonly number[]) => {
      for (const id of of) company.put(resource, place, { id, name, date: '2026-06-01' });
    };
    if (resource === 'Drawings') {
      company.put('Drawing Areas', project, { id: 1, name: 'an area' });
      await company.tell('Drawing Areas', 1);
      await company.settled();
    }
    write('old', [1, 2, 3]);
    for (const id of [1, 2, 3]) await company.tell(resource, id, { kind: 'create' });
    await company.settled();
    write('new', [1, 2]);
    const looks = watch(company, resource);
    const busy = procore.hold(company.asks());
    await company.tell(resource, 3);
    await busy.reached;
    spoil(company.asks(list), body, 2);
    for (const id of [1, 2]) await company.tell(resource, id);
    await company.recorded();
    busy.release();
    await company.endsRight();
    expect(looks.map(({ rows }) => rows.filter(isLive).length).every((live) => live === 3)).toBe(true);
  },
);

test.concurrent.for([
  { list: 'RFIs', address: /rfis\?/ },
  { list: 'its replies', address: /rfis\/2\/replies\?/ },
])('a new reply is found though the list of $list was none at first', async ({ address }) => {
  const company = companies.found(mirror);
  company.put('RFI Replies', inRfi(company, 2), { id: 5, name: 'new' });
  putRfi(company, 2, [5]);
  spoil(company.asks(address), {}, 2);
  await company.tell('RFI Replies', 5, { kind: 'create' });
  await company.endsRight();
});

test.concurrent('a new change order is found though the list that names its contract was none at first', async () => {
  const company = companies.found(mirror);
  changeOrders.put(company, 'new');
  spoil(company.asks(/potential_change_orders\?/), { potential_change_orders: [] }, 2);
  await company.tell(changeOrders.resource, 5, { kind: 'create' });
  await company.endsRight();
});

test.concurrent('a budget change arrives in either form that the reference shows', async () => {
  const company = companies.found(mirror);
  const put = (title: string) => company.put('Budget Changes', { project_id: company.projects[0] }, { id: 5, title });
  put('bare');
  await company.tell('Budget Changes', 5);
  await company.endsRight();
  put('in a wrapper');
  procore.intercept(company.asks(), ({ body }) => ({ body: { data: body } }));
  await company.tell('Budget Changes', 5);
  await company.endsRight();
});

// 6. Children that were deleted and restored, that got another parent, that tell nothing.

test.concurrent('a reply that was deleted and restored before anybody knew its RFI is found', async () => {
  const company = companies.found(mirror);
  await knowRfis(company);
  company.put('RFI Replies', inRfi(company, 1), { id: 5, name: 'another' });
  await company.tell('RFI Replies', 5);
  await company.endsRight();
  company.put('RFI Replies', inRfi(company, 2), { id: 6, name: 'restored' });
  putRfi(company, 2, [6]);
  const busy = procore.hold(company.asks(/replies/));
  await company.tell('RFI Replies', 5);
  await busy.reached;
  await company.tell('RFI Replies', 6, { kind: 'delete' });
  await company.tell('RFI Replies', 6);
  await company.recorded();
  busy.release();
  await company.endsRight();
});

test.concurrent.for([repeatedReplies, repeatedLineItems])(
  'of $child that were deleted before we had them none is left in what their parent repeats',
  async ({ parent, child, putParent }) => {
    const company = companies.found(mirror);
    putParent(company, 2, [6, 7]);
    await company.tell(parent, 2);
    await company.endsRight();
    putParent(company, 2, [7]);
    await company.tell(child, 6, { kind: 'delete' });
    await company.endsRight();
  },
);

test.concurrent.for([repeatedReplies, repeatedLineItems])(
  'one of $child that is there again is found after nothing but its delete event came',
  async ({ parent, child, putParent, putChild }) => {
    const company = companies.found(mirror);
    putParent(company, 2, []);
    await company.tell(parent, 2);
    await company.endsRight();
    putParent(company, 2, [6]);
    putChild(company, 2, 6, 'restored');
    await company.tell(child, 6, { kind: 'delete' });
    await company.endsRight();
    await company.tell(child, 6);
    await company.endsRight();
  },
);

test.concurrent.for([
  { ...repeatedReplies, what: 'an update', kinds: ['update'] },
  { ...repeatedReplies, what: 'a deletion and an update', kinds: ['delete', 'update'] },
  { ...repeatedLineItems, what: 'an update', kinds: ['update'] },
] as const)(
  'a record of $child that got another parent is under it after $what, and both parents tell of it',
  async ({ kinds, ...family }) => {
    const company = companies.found(mirror);
    const { move } = await getsAnotherParent(company, family);
    move();
    for (const kind of kinds) await company.tell(family.child, 5, { kind });
    await company.endsRight();
  },
);

test.concurrent('a line item whose event names another contract than before is left in no list of the old one', async () => {
  const company = companies.found(mirror);
  const { parent, child } = repeatedLineItems;
  const { move } = await getsAnotherParent(company, repeatedLineItems);
  move();
  await company.tell(child, 5, { parent: { resource: parent, id: 2 } });
  await company.endsRight();
});

test.concurrent.for([
  { resource: 'Drawings', parent: 'Drawing Areas', key: 'drawing_area_id', namedBy: null },
  { resource: 'Potential Change Orders', parent: 'Work Order Contracts', key: 'contract_id', namedBy: 'contract_id' },
  { resource: 'Contract Payments', parent: 'Purchase Order Contracts', key: 'contract_id', namedBy: 'contract_id' },
])('a record of $resource that got another parent is under it', async ({ resource, parent, key, namedBy }) => {
  const company = companies.found(mirror);
  const project = { project_id: company.projects[0] };
  const putUnder = (id: number) => {
    company.put(
      resource,
      { ...project, [key]: String(id) },
      { id: 5, title: `of ${id}`, ...(namedBy !== null && { [namedBy]: id }) },
    );
  };
  for (const id of [1, 2]) {
    company.put(parent, project, { id, name: 'a parent' });
    await company.tell(parent, id);
  }
  await company.settled();
  putUnder(1);
  await company.tell(resource, 5);
  await company.endsRight();
  putUnder(2);
  await company.tell(resource, 5);
  await company.endsRight();
});

test.concurrent('quotes come back with their RFQ, although they tell nothing', async () => {
  const company = companies.found(mirror);
  await knowRfq(company);
  company.take('RFQs', 4);
  for (const id of [5, 6]) company.take('RFQ Quotes', id);
  await company.tell('RFQs', 4, { kind: 'delete' });
  await company.endsRight();
  putRfq(company, company.projects[0], 'restored');
  await company.tell('Purchase Order Contracts', 3);
  await company.tell('RFQs', 4);
  await company.endsRight();
});

test.concurrent('replies that were deleted with their RFI come back with it, although they tell nothing', async () => {
  const company = companies.found(mirror);
  const write = (name: string) => {
    putRfi(company, 1, [5, 6]);
    for (const id of [5, 6]) company.put('RFI Replies', inRfi(company, 1), { id, name });
  };
  write('old');
  await company.tell('RFIs', 1);
  for (const id of [5, 6]) await company.tell('RFI Replies', id);
  await company.settled();
  company.take('RFIs', 1);
  for (const id of [5, 6]) company.take('RFI Replies', id);
  await company.tell('RFIs', 1, { kind: 'delete' });
  for (const id of [5, 6]) await company.tell('RFI Replies', id, { kind: 'delete' });
  await company.endsRight();
  write('restored');
  await company.tell('RFIs', 1);
  await company.endsRight();
});

test.concurrent.for(['update', 'delete'] as const)(
  'line items come back with a change event that was gone (%s)',
  async (kind) => {
    const company = companies.found(mirror);
    putFamily(company, changeEvents, 1, 'old', [5, 6]);
    await company.tell('Change Events', 1);
    await company.settled();
    company.take('Change Events', 1);
    await company.tell('Change Events', 1, { kind });
    await company.endsRight();
    putFamily(company, changeEvents, 1, 'restored', [5]);
    await company.tell('Change Events', 1);
    await company.endsRight();
    expect(await marks(company, 'Change Event Line Items')).toMatchObject([
      { id: '5', deleted: false, hidden: false },
      { id: '6', deleted: true },
    ]);
  },
);

// 7. A worker that was stopped beyond its lease: see `right-rows-stopped-worker.test.ts`.

// 8. A sequence behind its rows, as after a move to another server. It numbers the fetches of all, so these stories come
// after the others, one by one.

/** Has fetches numbered from there on. */
const setNumber = (to: number) => mirror.database.pool.query(`select setval('mirror.fetch_version', $1)`, [to]);

async function readNumber(expression: string): Promise<number> {
  const { rows } = await mirror.database.pool.query<{ number: number }>(`select (${expression})::int as number`);
  return rows[0]!.number;
}

const lastNumber = () => readNumber('select last_value from mirror.fetch_version');

/** As if the rows that come now had been stored late in the life of another server. */
const muchLater = async () => setNumber((await lastNumber()) + 1_000_000);

test('edits arrive after the numbers of fetches fell back behind those of the rows', async () => {
  const company = companies.found(mirror);
  await muchLater();
  await knowRfis(company);
  const submittals = aShape('Submittals');
  const edit = async (state: string) => {
    for (const { resource, put } of [locations, notesLogs, drawingAreas, reasons, replies, aChangeEvent, submittals]) {
      put(company, state);
      await company.tell(resource, 5);
    }
    await company.endsRight();
  };
  await edit('old');
  await setNumber(1);
  company.take('RFIs', 1);
  await company.tell('RFIs', 1, { kind: 'delete' });
  await company.endsRight();
  expect(await marks(company, 'RFIs')).toMatchObject([
    { id: '1', deleted: true },
    { id: '2', deleted: false },
  ]);
  await edit('new');
});

test('after all stories nothing is pending, given up or parked', async () => {
  for (const table of ['pending', 'dead_letters', 'scopes']) {
    expect((await mirror.database.pool.query(`select * from mirror.${table}`)).rows, table).toEqual([]);
  }
});
