// What a believable mid-size construction company does in a week: twenty projects of which four are large, about sixty people
// at work in each. Chosen before any result was seen, from how the tools of Procore are used; the shares are not to be
// tuned to a result. `plan-week.ts` makes a timeline of it and scales the number of sittings, all alike, to the events wanted.
//
// Somebody sits down (in the office, on site with a phone, at the end of the day) and goes through some records one after the
// other; each is saved once or several times, and each save is told in one to three events, as Procore does: RFIs come in
// bursts of updates within seconds. Machines (imports, the accounting system at night) save each record once, fast.

type Range = readonly [least: number, most: number];

/** When in the week: a weight for each day from Monday, and hours of the day (local) with their weights. */
export type Hours = {
  days: readonly number[];
  hours: readonly (readonly [from: number, to: number, weight: number])[];
};

export const hours = {
  office: {
    days: [1, 1, 1, 1, 0.85, 0.06, 0.02],
    hours: [
      [7, 9, 2],
      [9, 12, 9],
      [12, 13, 1],
      [13, 16, 9],
      [16, 18, 3],
      [18, 21, 0.5],
    ],
  },
  site: {
    days: [1, 1, 1, 1, 1, 0.35, 0.02],
    hours: [
      [6, 10, 4],
      [10, 15, 6],
      [15, 17, 1],
    ],
  },
  'day’s end': { days: [1, 1, 1, 1, 1, 0.35, 0.02], hours: [[15.5, 18, 1]] },
  'next morning': { days: [1, 1, 1, 1, 1, 0.35, 0], hours: [[6.5, 8.5, 1]] },
  night: { days: [1, 1, 1, 1, 1, 0.3, 0], hours: [[1, 3, 1]] },
  'Monday morning': { days: [1, 0, 0, 0, 0, 0, 0], hours: [[7, 9, 1]] },
} as const satisfies Record<string, Hours>;

/** How records are saved: how often each, seconds between the saves of one, seconds from one record to the next. */
type Manner = { saves: Range; between: Range; apart: Range; eventsPerSave: readonly number[] };

/** Shares of saves that are told in one, two and three events. */
const byPeople = [0.55, 0.3, 0.15];
const byMachines = [0.85, 0.15, 0];

export const manners = {
  /** Somebody reads, writes, saves, sees what is missing, saves again. */
  edit: { saves: [1, 5], between: [8, 120], apart: [60, 600], eventsPerSave: byPeople },
  /** A form is filled in and saved. */
  form: { saves: [1, 2], between: [5, 60], apart: [15, 120], eventsPerSave: byPeople },
  /** A phone on site: short forms, saved as one goes. */
  phone: { saves: [1, 3], between: [4, 60], apart: [30, 180], eventsPerSave: byPeople },
  /** Rows of a table, saved together or by one upload. */
  rows: { saves: [1, 1], between: [0, 0], apart: [0, 4], eventsPerSave: byMachines },
  import: { saves: [1, 1], between: [0, 0], apart: [0, 0.5], eventsPerSave: byMachines },
  /** An import whose records are worked on afterwards, as drawings are: created, then recognized. */
  'import in two passes': { saves: [2, 2], between: [60, 600], apart: [0, 0.5], eventsPerSave: byMachines },
} as const satisfies Record<string, Manner>;

export type Work = {
  resource: string;
  manner: keyof typeof manners;
  when: keyof typeof hours;
  /** Sittings: in a project on a day of work, or in the whole company in the week. */
  perProjectDay?: number;
  perWeek?: number;
  /** Records that one sitting is about. */
  records: Range;
  /** Share of them that are new. */
  creates: number;
  /** Children: how many are worked on in one parent before the next, and how often each parent is saved afterwards. */
  perParent?: number;
  parentSaves?: number;
};

const row = (
  resource: string,
  manner: Work['manner'],
  when: Work['when'],
  often: Pick<Work, 'perProjectDay' | 'perWeek'>,
  records: Range,
  creates: number,
  children: Pick<Work, 'perParent' | 'parentSaves'> = {},
): Work => ({ resource, manner, when, ...often, records, creates, ...children });

const daily = (perProjectDay: number) => ({ perProjectDay });
const weekly = (perWeek: number) => ({ perWeek });

/** Crews, logs, photos, walks. */
const onSite: readonly Work[] = [
  // Three crews, each entered by its foreman in one go; the superintendent approves all of them next morning.
  row('Timecard Entries', 'rows', 'day’s end', daily(3), [8, 16], 1),
  row('Timecard Entries', 'rows', 'next morning', daily(1), [28, 42], 0),
  // The superintendent's daily log: some kinds on every day, others when there is something to tell.
  row('Manpower Logs', 'form', 'day’s end', daily(1), [5, 11], 0.85),
  row('Notes Logs', 'form', 'day’s end', daily(1), [2, 5], 0.9),
  row('Weather Logs', 'form', 'day’s end', daily(0.9), [1, 3], 0.9),
  row('Equipment Logs', 'form', 'day’s end', daily(0.9), [3, 7], 0.8),
  row('Delivery Logs', 'form', 'day’s end', daily(0.8), [1, 6], 0.9),
  row('Visitor Logs', 'form', 'day’s end', daily(0.6), [1, 5], 1),
  row('Quantity Logs', 'form', 'day’s end', daily(0.6), [2, 6], 0.9),
  row('Productivity Logs', 'form', 'day’s end', daily(0.5), [2, 6], 0.9),
  row('Work Logs', 'form', 'day’s end', daily(0.5), [2, 6], 0.9),
  row('Daily Construction Report Logs', 'form', 'day’s end', daily(0.7), [1, 2], 0.9),
  row('Inspection Logs', 'form', 'day’s end', daily(0.4), [1, 3], 0.9),
  row('Safety Violation Logs', 'form', 'day’s end', daily(0.15), [1, 2], 0.9),
  row('Call Logs', 'form', 'day’s end', daily(0.2), [1, 2], 1),
  row('Dumpster Logs', 'form', 'day’s end', daily(0.1), [1, 1], 1),
  row('Waste Logs', 'form', 'day’s end', daily(0.15), [1, 2], 1),
  row('Plan Revision Logs', 'form', 'day’s end', daily(0.05), [1, 2], 1),
  row('Accident Logs', 'form', 'day’s end', daily(0.03), [1, 1], 1),
  // Photos go up a dozen at a time; some are tagged in the office later.
  row('Images', 'rows', 'site', daily(4), [5, 20], 1),
  row('Images', 'form', 'office', daily(0.4), [3, 12], 0),
  row('Image Categories', 'form', 'office', weekly(6), [1, 3], 0.8),
  // Punch walks, then what subcontractors answer.
  row('Punch Items', 'phone', 'site', daily(0.6), [15, 50], 0.9),
  row('Punch Items', 'form', 'site', daily(3), [1, 4], 0),
  row('Observation Items', 'phone', 'site', daily(1), [2, 8], 0.7),
  row('Observation Item Response Logs', 'phone', 'site', daily(0.8), [1, 4], 1),
  // A checklist is saved again and again while it is gone through.
  row('Inspection Checklists', 'edit', 'site', daily(1.8), [1, 3], 0.5),
  row('Incidents', 'edit', 'site', daily(0.06), [1, 2], 0.6),
  row('Forms', 'phone', 'site', daily(0.5), [1, 3], 0.7),
];

/** Correspondence, documents, drawings, coordination. */
const inTheOffice: readonly Work[] = [
  row('RFIs', 'edit', 'office', daily(4), [1, 3], 0.2),
  row('RFI Replies', 'form', 'office', daily(2), [1, 2], 0.9, { parentSaves: 1 }),
  row('Submittals', 'edit', 'office', daily(4), [1, 4], 0.25),
  row('Submittals', 'import', 'office', weekly(3), [80, 150], 1), // the register of a new project
  row('Submittal Packages', 'form', 'office', daily(0.1), [1, 3], 0.7),
  row('Generic Tool Items', 'edit', 'office', daily(2), [1, 2], 0.4),
  row('Project Files', 'rows', 'office', daily(2), [3, 25], 0.85),
  row('Project File Versions', 'rows', 'office', daily(1.6), [3, 15], 1),
  row('File Versions', 'rows', 'office', daily(0.3), [2, 10], 1),
  row('Project Folders', 'form', 'office', daily(0.3), [1, 4], 0.8),
  row('Company Files', 'rows', 'office', weekly(20), [1, 8], 0.7),
  row('Company File Versions', 'rows', 'office', weekly(12), [1, 8], 1),
  row('Company Folders', 'form', 'office', weekly(4), [1, 3], 0.8),
  // A drawing set goes up: hundreds of drawings within minutes, each recognized a little later.
  row('Drawings', 'import in two passes', 'office', weekly(8), [150, 350], 0.6, { perParent: 500 }),
  row('Drawings', 'form', 'office', daily(0.25), [3, 15], 0.3, { perParent: 50 }),
  row('Drawing Uploads', 'form', 'office', daily(0.15), [1, 2], 1),
  row('Drawing Sets', 'form', 'office', daily(0.1), [1, 2], 0.7),
  row('Drawing Areas', 'form', 'office', weekly(6), [1, 2], 0.5),
  row('Specification Sections', 'import', 'office', weekly(3), [80, 150], 0.7),
  row('Specification Section Revisions', 'import', 'office', weekly(3), [80, 150], 0.8, { perParent: 20 }),
  row('Specification Section Divisions', 'form', 'office', weekly(8), [1, 4], 0.6),
  row('Specification Sets', 'form', 'office', weekly(6), [1, 1], 0.8),
  row('Specification Areas', 'form', 'office', weekly(3), [1, 2], 0.6),
  row('Meetings', 'edit', 'office', daily(0.5), [1, 1], 0.5),
  row('Meeting Topics', 'form', 'office', daily(0.5), [5, 20], 0.6, { perParent: 20, parentSaves: 1 }),
  row('Meeting Attendees', 'rows', 'office', daily(0.5), [5, 15], 0.6, { perParent: 20 }),
  row('Meeting Categories', 'form', 'office', daily(0.12), [1, 3], 0.8, { perParent: 3 }),
  row('Task Items', 'form', 'office', daily(1), [1, 4], 0.5),
  // The schedule comes out of the planner's own program, mostly on Mondays.
  row('Tasks', 'import', 'Monday morning', weekly(8), [200, 500], 0.25),
  row('Tasks', 'import', 'office', weekly(2), [200, 500], 0.25),
  row('Tasks', 'form', 'office', daily(0.2), [1, 5], 0.2),
  row('Coordination Issues', 'form', 'office', daily(0.3), [3, 15], 0.5),
  row('Coordination Issue Activities', 'rows', 'office', daily(0.5), [2, 10], 1),
  row('Bim Models', 'form', 'office', weekly(6), [1, 2], 0.4),
  row('Bim Model Revisions', 'form', 'office', weekly(10), [1, 2], 0.9),
  row('Bim File Extractions', 'form', 'office', weekly(12), [1, 3], 0.6),
];

/** Budgets, contracts, changes, costs. */
const money: readonly Work[] = [
  row('Budget Line Items', 'import', 'office', weekly(4), [200, 400], 0.7),
  row('Budget Line Items', 'form', 'office', daily(0.5), [2, 12], 0.1),
  row('Budget Modifications', 'form', 'office', daily(0.3), [1, 4], 0.8),
  row('Budget Changes', 'edit', 'office', daily(0.15), [1, 2], 0.6),
  row('Budget Change Adjustments', 'rows', 'office', daily(0.15), [1, 4], 0.8),
  row('Budget Change Adjustment Line Items', 'rows', 'office', daily(0.15), [2, 6], 0.8),
  row('Budget View Snapshots', 'form', 'office', daily(0.2), [1, 1], 1),
  row('Purchase Order Contracts', 'edit', 'office', daily(0.5), [1, 2], 0.3),
  row('Purchase Order Contract Line Items', 'form', 'office', daily(0.5), [3, 15], 0.6, { parentSaves: 1 }),
  row('Purchase Order Contract Line Items', 'import', 'night', weekly(2), [150, 300], 0.7),
  row('Work Order Contracts', 'edit', 'office', daily(0.4), [1, 2], 0.3),
  row('Work Order Contract Line Items', 'form', 'office', daily(0.4), [3, 15], 0.6, { parentSaves: 1 }),
  row('Prime Contracts', 'edit', 'office', daily(0.1), [1, 1], 0.05),
  row('Prime Contract Line Items', 'form', 'office', daily(0.1), [5, 30], 0.5, { perParent: 40, parentSaves: 1 }),
  row('Payment Applications', 'edit', 'office', daily(0.08), [1, 2], 0.6),
  row('Contract Payments', 'form', 'office', daily(0.15), [1, 5], 0.8, { perParent: 2 }),
  row('RFQs', 'edit', 'office', daily(0.1), [1, 2], 0.6, { perParent: 1 }),
  row('RFQ Quotes', 'form', 'office', daily(0.1), [1, 3], 0.8, { perParent: 3 }),
  row('RFQ Responses', 'form', 'office', daily(0.1), [1, 2], 0.8, { perParent: 2 }),
  // A change: the event with its items, priced as a potential change order, then part of a contract's change orders.
  row('Change Events', 'edit', 'office', daily(0.6), [1, 2], 0.4),
  row('Change Event Line Items', 'form', 'office', daily(0.6), [2, 8], 0.7, { parentSaves: 1 }),
  row('Potential Change Orders', 'edit', 'office', daily(0.4), [1, 2], 0.5, { perParent: 1 }),
  row('Potential Change Order Line Items', 'form', 'office', daily(0.4), [2, 8], 0.7, { parentSaves: 1 }),
  row('Change Order Requests', 'edit', 'office', daily(0.2), [1, 2], 0.5, { perParent: 1 }),
  row('Change Order Packages', 'edit', 'office', daily(0.2), [1, 2], 0.5),
  // The accounting system, at night; a few costs are entered by hand.
  row('Direct Costs', 'import', 'night', weekly(5), [60, 140], 0.9),
  row('Direct Cost Line Items', 'import', 'night', weekly(5), [100, 250], 0.9, { perParent: 3 }),
  row('Direct Costs', 'edit', 'office', daily(0.3), [1, 3], 0.7),
  row('Direct Cost Line Items', 'form', 'office', daily(0.3), [1, 5], 0.8, { parentSaves: 1 }),
  row('Bids', 'form', 'office', weekly(12), [2, 6], 0),
];

/** The company's own lists, people and firms. */
const administration: readonly Work[] = [
  row('Projects', 'edit', 'office', weekly(30), [1, 1], 0),
  row('Company Users', 'form', 'office', weekly(20), [1, 3], 0.3),
  row('Company Vendors', 'form', 'office', weekly(30), [1, 2], 0.3),
  row('Company Vendors', 'import', 'office', weekly(1), [250, 400], 0), // a bulk edit
  row('Project Users', 'form', 'office', weekly(20), [2, 6], 1),
  row('Project Vendors', 'form', 'office', weekly(20), [1, 5], 1),
  row('Company Insurances', 'form', 'office', weekly(30), [1, 2], 0.5),
  row('Company Insurances', 'import', 'office', weekly(1), [100, 200], 0.3),
  row('Project Insurances', 'form', 'office', weekly(10), [1, 2], 0.6),
  row('Cost Codes', 'import', 'office', weekly(2), [200, 400], 1), // those of a new project
  row('Cost Codes', 'form', 'office', weekly(20), [1, 4], 0.4),
  row('Standard Cost Codes', 'import', 'office', weekly(1), [80, 160], 0.3, { perParent: 200 }),
  row('Standard Cost Code Lists', 'form', 'office', weekly(1), [1, 1], 1),
  row('Locations', 'import', 'office', weekly(2), [100, 250], 1),
  row('Locations', 'form', 'office', daily(0.1), [1, 5], 0.6),
  row('Project Dates', 'form', 'office', daily(0.1), [1, 3], 0.3),
  row('Sub Jobs', 'form', 'office', weekly(6), [1, 3], 0.6),
  row('Form Templates', 'form', 'office', weekly(4), [1, 2], 0.4),
  ...[
    ...[
      'Offices',
      'Programs',
      'Departments',
      'Line Item Types',
      'Change Types',
      'Change Order Change Reasons',
      'Trades',
    ],
    ...['Project Bid Types', 'Project Owner Types', 'Project Regions', 'Project Stages', 'Project Types'],
    'Timecard Time Types',
  ].map((resource) => row(resource, 'form', 'office', weekly(2), [1, 3], 0.5)),
];

export const workload: readonly Work[] = [...onSite, ...inTheOffice, ...money, ...administration];

/** Four large projects, ten usual ones, six that begin or end; the mean is one. */
export const projectSizes = [...Array(4).fill(2), ...Array(10).fill(1), ...Array(6).fill(1 / 3)] as readonly number[];

/** Records from before the week in each project (in each parent, in the company), where they are not a handful. */
export const sizes: Readonly<Record<string, number>> = {
  ...{
    'Company Users': 150,
    'Company Vendors': 400,
    'Company Insurances': 200,
    'Project Users': 15,
    'Project Vendors': 15,
  },
  ...{ RFIs: 60, Submittals: 80, 'Punch Items': 80, 'Observation Items': 40, 'Inspection Checklists': 30 },
  ...{ Drawings: 100, 'Drawing Areas': 3, 'Specification Sections': 80, 'Specification Section Divisions': 8 },
  ...{ 'Specification Section Revisions': 5, Tasks: 300, 'Project Files': 80, Images: 60, 'Budget Line Items': 150 },
  ...{ 'Purchase Order Contracts': 25, 'Work Order Contracts': 15, 'Prime Contracts': 1, 'Change Events': 20 },
  ...{
    'Direct Costs': 30,
    'Cost Codes': 100,
    Locations: 60,
    Meetings: 15,
    'Meeting Topics': 5,
    'Meeting Attendees': 6,
  },
  ...{ 'Task Items': 20, 'Coordination Issues': 20, 'Generic Tool Items': 20, Bids: 40, 'Manpower Logs': 40 },
  ...{
    'Timecard Entries': 60,
    'Potential Change Orders': 1,
    'Change Order Requests': 1,
    'Contract Payments': 1,
    RFQs: 1,
  },
};
