// Records of many shapes for the stories of `right-rows.test.ts`: alone, by date, in a company, with children inside them or
// at addresses of their own.
import type { Company } from './scripted-company.ts';
import type { Place } from './scripted-world.ts';

/** A parent that carries its children: they have no address of their own. */
export type Family = {
  parent: string;
  child: string;
  record: (id: number, state: string, children: readonly number[]) => { id: number };
  /** What lists carry of it. */
  listed?: (id: number, state: string) => { id: number };
};

export const changeEvents: Family = {
  parent: 'Change Events',
  child: 'Change Event Line Items',
  record: (id, title, children) => ({ id, title, change_items: children.map((child) => ({ id: child, uom: title })) }),
};
const meeting = (id: number, title: string) => ({ id, title });
export const attendees: Family = {
  parent: 'Meetings',
  child: 'Meeting Attendees',
  record: (id, title, children) => ({ id, title, attendees: children.map((child) => ({ id: child, status: title })) }),
  listed: meeting,
};
export const topics: Family = {
  parent: 'Meetings',
  child: 'Meeting Topics',
  record: (id, title, children) => {
    const [first = [], second = []] = [children.slice(0, 1), children.slice(1)];
    const category = (number: number, held: readonly number[]) => ({
      id: number,
      title: 'Business',
      meeting_topic: held.map((child) => ({ id: child, title })),
    });
    return { id, title, meeting_categories: [category(91, first), category(92, second)] };
  },
  listed: meeting,
};
export const families = [changeEvents, attendees, topics];

export function putFamily(
  company: Company,
  family: Family,
  id: number,
  state: string,
  children: readonly number[],
  project = company.projects[0],
): void {
  company.put(family.parent, { project_id: project }, family.record(id, state, children), family.listed?.(id, state));
}

/** Answers to a show of parent 1 that are no parent with a list of children. */
export function noParents(family: Family): [what: string, body: unknown][] {
  const parent = family.record(1, 'new', []);
  const field = Object.keys(parent).at(-1) ?? '';
  return [
    ['an empty object', {}],
    ['an empty list', []],
    ['null', null],
    ['text', 'maintenance'],
    ['another record', family.record(2, 'new', [])],
    ['the parent in a wrapper', { data: parent }],
    ['the parent without the field', { id: 1, title: 'new' }],
    ['the parent with null in the field', { ...parent, [field]: null }],
    ['the parent with an object in the field', { ...parent, [field]: {} }],
  ];
}

/** Record 5 of a resource, at home in whatever way it has. */
export type Shape = {
  resource: string;
  put: (company: Company, state: string, project?: string) => void;
  take: (company: Company) => void;
  /** Has the mirror know what must be there before. */
  prepare?: (company: Company) => Promise<void>;
  /** Calls of one look that does not find it, where that is always the same number. */
  calls?: number;
};

/** A record of its own, with a column or two that take its state. */
export function aShape(
  resource: string,
  more: Partial<Shape> & { ids?: Place; fields?: object; isCompany?: boolean } = {},
): Shape {
  const { ids = {}, fields = {}, isCompany = false, ...own } = more;
  return {
    resource,
    put: (company, name, project = company.projects[0]) => {
      const place = { ...ids, ...(!isCompany && { project_id: project }) };
      company.put(resource, place, { id: 5, name, title: name, subject: name, ...fields });
    },
    take: (company) => company.take(resource, 5),
    ...own,
  };
}

/** An RFI and what it repeats of its replies. */
export function putRfi(
  company: Company,
  id: number,
  replies: readonly number[] = [],
  project = company.projects[0],
): void {
  const answers = replies.map((reply) => ({ id: reply, plain_text_body: 'an answer' }));
  const record = { id, subject: `RFI ${id}`, questions: [{ id: 10 + id, answers }] };
  company.put('RFIs', { project_id: project }, record, { id, subject: `RFI ${id}` });
}
export const inRfi = (company: Company, rfi: number, project = company.projects[0]) => ({
  project_id: project,
  rfi_id: String(rfi),
});

export async function knowRfis(company: Company): Promise<void> {
  for (const id of [1, 2]) {
    putRfi(company, id);
    await company.tell('RFIs', id, { kind: 'create' });
  }
  await company.settled();
}

/** With its line items. */
export const aChangeEvent: Shape = {
  resource: 'Change Events',
  put: (company, state, project) => putFamily(company, changeEvents, 5, state, [51, 52], project),
  take: (company) => company.take('Change Events', 5),
};

export const rfis = aShape('RFIs', { calls: 1 });
export const locations = aShape('Locations', { calls: 1 });
export const notesLogs = aShape('Notes Logs', { calls: 1, fields: { date: '2026-06-01' } });
export const drawingAreas = aShape('Drawing Areas', { calls: 2 });
export const reasons = aShape('Change Order Change Reasons', { calls: 1, isCompany: true });
export const trades = aShape('Trades', { calls: 1, isCompany: true });
export const replies: Shape = {
  resource: 'RFI Replies',
  prepare: knowRfis,
  put: (company, name) => {
    company.put('RFI Replies', inRfi(company, 2), { id: 5, name });
    putRfi(company, 2, [5]);
  },
  take: (company) => {
    company.take('RFI Replies', 5);
    putRfi(company, 2);
  },
};
export const lineItems: Shape = {
  resource: 'Change Event Line Items',
  prepare: async (company) => {
    putFamily(company, changeEvents, 1, 'old', []);
    await company.tell('Change Events', 1);
    await company.settled();
  },
  put: (company, state) => putFamily(company, changeEvents, 1, state, [5]),
  take: (company) => putFamily(company, changeEvents, 1, 'old', []),
};
export const changeOrders = aShape('Potential Change Orders', {
  ids: { contract_id: '3' },
  fields: { contract_id: 3 },
  calls: 1,
});

/** A contract with an RFQ and two quotes, which send no delete of their own. */
export function putRfq(company: Company, project: string, state: string): void {
  const place = { project_id: project, contract_id: '3', rfq_id: '4' };
  company.put('Purchase Order Contracts', place, { id: 3, title: state }, { id: 3 });
  company.put('RFQs', place, { id: 4, commitment_contract_id: 3, title: state });
  for (const id of [5, 6]) company.put('RFQ Quotes', place, { id, description: state });
}

export async function knowRfq(company: Company): Promise<void> {
  putRfq(company, company.projects[0], 'old');
  await company.tell('Purchase Order Contracts', 3);
  await company.settled();
  await company.tell('RFQs', 4);
  await company.settled();
  for (const id of [5, 6]) await company.tell('RFQ Quotes', id);
  await company.endsRight();
}

/** A child that its parent repeats, though it has an address of its own. */
export type Repeated = {
  parent: string;
  child: string;
  /** Puts a parent with what it repeats of these children. */
  putParent: (company: Company, id: number, held: readonly number[]) => void;
  putChild: (company: Company, parent: number, id: number, state: string) => void;
};

export const repeatedReplies: Repeated = {
  parent: 'RFIs',
  child: 'RFI Replies',
  putParent: putRfi,
  putChild: (company, rfi, id, name) => company.put('RFI Replies', inRfi(company, rfi), { id, name }),
};

export const repeatedLineItems: Repeated = {
  parent: 'Purchase Order Contracts',
  child: 'Purchase Order Contract Line Items',
  putParent: (company, id, held) => {
    const record = { id, title: 'a contract', line_items: held.map((item) => ({ id: item })) };
    company.put('Purchase Order Contracts', { project_id: company.projects[0] }, record, { id });
  },
  putChild: (company, contract, id, description) => {
    const place = { project_id: company.projects[0], purchase_order_contract_id: String(contract) };
    company.put('Purchase Order Contract Line Items', place, { id, description });
  },
};
