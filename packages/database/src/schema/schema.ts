// The mirror's own tables, in schema `mirror`, for operators. The mirrored tables in schema `procore` are made from the
// catalogue (`mirrored-table.ts`). drizzle-kit compares both with `migrations/` and writes the next migration.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  date,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
} from 'drizzle-orm/pg-core';

export const mirror = pgSchema('mirror');

const id = (name: string) => bigint(name, { mode: 'bigint' });
const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const now = sql`now()`;

/**
 * What goes first: news of events, the detail that lists lack of them, what repair brought in, upkeep (hooks, the delivery log),
 * lists without events, backfills, comparisons, files. The budget keeps a share for those before.
 */
export const lane = mirror.enum('lane', ['live', 'detail', 'repair', 'upkeep', 'poll', 'backfill', 'verify', 'files']);

/** Numbers fetches in the order they start. A row keeps the number it came from; a lower one never overwrites it. */
export const fetchVersion = mirror.sequence('fetch_version');

/**
 * The highest number that `fetch_version` gave. Replication and dumps of rows carry it along, as they do not carry the
 * sequence; so numbers rise as long as one of the two is there.
 */
export const highestVersion = mirror.table(
  'highest_version',
  {
    one: boolean('one').primaryKey().default(true),
    version: bigint('version', { mode: 'bigint' }).notNull(),
  },
  (table) => [check('highest_version_one', sql`${table.one}`)],
);

/** Numbers the news of all records. A number never comes again, so what was noted before a request settles nothing newer. */
export const generation = mirror.sequence('generation');

/** The log of what Procore told us, one row per event, whether we mirror its resource or not. */
export const events = mirror.table(
  'events',
  {
    id: text('id').primaryKey(),
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    resource: text('resource').notNull(),
    recordId: text('record_id').notNull(),
    kind: text('kind').notNull(),
    /** As Procore says; where an event does not say so that it can be read, the time of receipt. */
    occurredAt: moment('occurred_at').notNull(),
    receivedAt: moment('received_at').notNull(),
    payloadVersion: text('payload_version').notNull(),
    raw: jsonb('raw').notNull(),
    /** `pending`: its record was marked for a fetch. `ignored`: kept, counted, and no fetch follows; see `reason`. */
    outcome: text('outcome').notNull(),
    reason: text('reason'),
    deliveries: integer('deliveries').notNull().default(1),
    /** Of its first delivery: the fingerprint of the accepted secret that came with it, and the trace in the logs. */
    key: text('key'),
    trace: text('trace'),
    /** How it came at first: by a `delivery`, from Procore's `delivery log`, or by a `replay` of a dead letter. */
    via: text('via').notNull().default('delivery'),
  },
  (table) => [
    index('events_record').on(table.companyId, table.resource, table.recordId),
    index('events_received_at').on(table.receivedAt),
  ],
);

/** Receivers, each known by a number in its spool directory, as their last reports tell; for 90 days after that. */
export const receivers = mirror.table('receivers', {
  id: text('id').primaryKey(),
  host: text('host').notNull(),
  pid: integer('pid').notNull(),
  version: text('version').notNull(),
  startedAt: moment('started_at').notNull(),
  /** By the receiver's clock. */
  reportedAt: moment('reported_at').notNull(),
  /** NULL: it runs, or ended without a word. */
  stoppedAt: moment('stopped_at'),
  /** When we recorded its last report. */
  recordedAt: moment('recorded_at').notNull().default(now),
  /** Its last report, whole. */
  report: jsonb('report').notNull(),
});

/** Times in which a receiver did not do its work as it should, as it reports them; for 90 days. */
export const receiverGaps = mirror.table(
  'receiver_gaps',
  {
    receiver: text('receiver').notNull(),
    /** `down`: it did not run. `refused`: it answered 503. `spooled`: the queue took nothing, deliveries went to the disk. */
    kind: text('kind').notNull(),
    since: moment('since').notNull(),
    until: moment('until').notNull(),
    /** Deliveries that were refused or spooled; NULL while it was down. */
    count: integer('count'),
    /** Of `down`: it had been told to stop. */
    wasStopped: boolean('was_stopped'),
  },
  (table) => [primaryKey({ columns: [table.receiver, table.kind, table.since] })],
);

/** Records with news that we have not fetched yet. */
export const pending = mirror.table(
  'pending',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    resource: text('resource').notNull(),
    recordId: text('record_id').notNull(),
    /** The number of its newest news; a fetch settles the record only if the generation is still the one it started from. */
    generation: bigint('generation', { mode: 'bigint' }).notNull().default(sql`nextval('mirror.generation')`),
    lane: lane('lane').notNull().default('live'),
    /** Of a backfill: 0 goes first (open or lately changed, or nobody knows), then 1 (the rest). */
    worth: smallint('worth').notNull().default(0),
    /** The newest event, and when Procore says the newest change happened; infinity when one did not say. */
    eventId: text('event_id'),
    occurredAt: moment('occurred_at'),
    /** When the earliest of its news happened, by all we know, or earlier; NULL: no event told of it. */
    happenedAt: moment('happened_at').default(sql`'-infinity'`),
    /** A backfill read only part of it, so it lacks what happened before that, too. */
    toFill: boolean('to_fill').notNull().default(true),
    firstSeenAt: moment('first_seen_at').notNull().default(now),
    lastSeenAt: moment('last_seen_at').notNull().default(now),
    /** A delete event is among the news: an absent record is then buried, else it is hidden. */
    deleteSeen: boolean('delete_seen').notNull().default(false),
    /** When Procore says the newest deletion among them happened; minus infinity when none said. */
    deleteOccurredAt: moment('delete_occurred_at'),
    parentId: text('parent_id'),
    /** When a fetch may start: the pause after the newest event, a maximum wait after the first, a pause after a failure. */
    readyAt: moment('ready_at').notNull(),
    attempts: integer('attempts').notNull().default(0),
    /** Those that failed for what may be the record's own fault; trouble that passes is no reason to give it up. */
    ownFailures: integer('own_failures').notNull().default(0),
    /** News does not end a pause before that: of a few seconds after a failure, of all of it when it is to be read once more. */
    notBefore: moment('not_before'),
    lastError: text('last_error'),
    /** The generation for which a list has refreshed the columns that it carries; the show is still to come. */
    listedGeneration: bigint('listed_generation', { mode: 'bigint' }),
    /** It was read once already and looked older than its event. */
    reread: boolean('reread').notNull().default(false),
    /** It moved or came back, and the lists under it are still to tell who did so with it. News leaves that as it is. */
    listsChildren: boolean('lists_children').notNull().default(false),
    /** The generation for which a fetch did not find it, and when: the first of the two sightings that an absence takes. */
    absentGeneration: bigint('absent_generation', { mode: 'bigint' }),
    absentAt: moment('absent_at'),
  },
  (table) => [
    unique('pending_record').on(table.companyId, table.projectId, table.resource, table.recordId).nullsNotDistinct(),
    index('pending_by_worth').on(
      ...([table.companyId, table.projectId, table.resource, table.lane, table.worth, table.readyAt] as const),
    ),
    index('pending_by_record').on(table.companyId, table.resource, table.recordId),
    index('pending_oldest').on(table.companyId, table.projectId, table.resource, table.lane, table.firstSeenAt),
    index('pending_happened_at')
      .on(table.companyId, table.projectId, table.resource, table.lane, table.happenedAt)
      .where(sql`happened_at is not null`),
  ],
);

/**
 * Where fetches found a record missing: NULL parent, nowhere in the project; NULL project, nowhere in the company. A fetch that
 * began earlier and answers late does not bring the record back to such a place. Those hidden in doubt are looked at again.
 */
export const absences = mirror.table(
  'absences',
  {
    companyId: id('company_id').notNull(),
    resource: text('resource').notNull(),
    recordId: text('record_id').notNull(),
    projectId: id('project_id'),
    parentId: text('parent_id'),
    /** The number of the fetch that did not find it. */
    version: bigint('version', { mode: 'bigint' }).notNull(),
    notedAt: moment('noted_at').notNull().default(now),
    /** How often it was looked at again, and when it is to be the next time; NULL: no more. */
    looks: integer('looks').notNull().default(0),
    lookAt: moment('look_at'),
  },
  (table) => [
    unique('absences_place')
      .on(table.companyId, table.resource, table.recordId, table.projectId, table.parentId)
      .nullsNotDistinct(),
    index('absences_look_at').on(table.lookAt).where(sql`look_at is not null`),
    index('absences_noted_at').on(table.notedAt),
  ],
);

/**
 * Numbers that `fetch_version` passed over because rows bore higher ones than it had given: they came from another server or
 * an older life of this one. A fetch that took its number before cannot tell whether it is newer than a row of the gap.
 */
export const versionGaps = mirror.table('version_gaps', {
  /** The last number given before the gap. */
  after: bigint('after', { mode: 'bigint' }).primaryKey(),
  /** The last number in it. */
  upTo: bigint('up_to', { mode: 'bigint' }).notNull(),
  foundAt: moment('found_at').notNull().default(now),
});

/** One row per company, project, resource and lane that ever had news: when its records are due, and who fetches. */
export const batches = mirror.table(
  'batches',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    resource: text('resource').notNull(),
    lane: lane('lane').notNull().default('live'),
    /** The lowest of its records that are ready; else that of the next one. */
    worth: smallint('worth').notNull().default(0),
    dueAt: moment('due_at'),
    /** When it was due first. News that keeps coming puts a batch off, so that it gathers, but only so long after this. */
    firstDueAt: moment('first_due_at'),
    leaseHolder: text('lease_holder'),
    leaseUntil: moment('lease_until'),
    servedAt: moment('served_at'),
  },
  (table) => [
    unique('batches_key').on(table.companyId, table.projectId, table.resource, table.lane).nullsNotDistinct(),
    index('batches_due_at').on(table.dueAt),
    index('batches_by_worth').on(table.lane, table.companyId, table.worth, table.dueAt),
    index('batches_leased').on(table.leaseUntil).where(sql`lease_until is not null`),
  ],
);

/** Scopes that refuse us or fail, with the reason and the next probe. NULL stands for all. */
export const scopes = mirror.table(
  'scopes',
  {
    companyId: id('company_id'),
    projectId: id('project_id'),
    resource: text('resource'),
    state: text('state').notNull().default('parked'),
    reason: text('reason').notNull(),
    detail: text('detail'),
    parkedAt: moment('parked_at').notNull().default(now),
    probeAt: moment('probe_at').notNull(),
    probes: integer('probes').notNull().default(0),
    /** Of a company, or everything: since when it refuses us, whatever else failed meanwhile; NULL: it did not. */
    refusedAt: moment('refused_at'),
  },
  (table) => [unique('scopes_scope').on(table.companyId, table.projectId, table.resource).nullsNotDistinct()],
);

/** What we gave up on: bodies that we could not read, and records whose fetch did not succeed, one row each. */
export const deadLetters = mirror.table(
  'dead_letters',
  {
    /** Of a record: its company, project, resource and id; of a body: a hash of it. */
    id: text('id').primaryKey(),
    reason: text('reason').notNull(),
    detail: text('detail'),
    /** The body; of a record the newest event that told of it, or what was pending where none did. */
    raw: text('raw').notNull(),
    firstSeenAt: moment('first_seen_at').notNull().default(now),
    lastSeenAt: moment('last_seen_at').notNull().default(now),
    attempts: integer('attempts').notNull().default(1),
    /** `delivery`: a body we could not read. `record`: one record whose fetch was given up. */
    kind: text('kind').notNull().default('delivery'),
    /** What it is about; of a body as far as it said. */
    companyId: id('company_id'),
    projectId: id('project_id'),
    resource: text('resource'),
    recordId: text('record_id'),
    /** When it is tried again by itself; NULL: no more. */
    nextTryAt: moment('next_try_at'),
    /** How often it was tried again by itself since its newest event. */
    tries: integer('tries').notNull().default(0),
    /** What the news of the record were, for the fetch that tries it again (see `mirror.pending`). */
    eventId: text('event_id'),
    occurredAt: moment('occurred_at'),
    /** Of a body, too: when what it tells of happened, or earlier. */
    happenedAt: moment('happened_at').default(sql`'-infinity'`),
    toFill: boolean('to_fill').notNull().default(true),
    deleteSeen: boolean('delete_seen').notNull().default(false),
    deleteOccurredAt: moment('delete_occurred_at'),
    parentId: text('parent_id'),
  },
  (table) => [index('dead_letters_next_try_at').on(table.nextTryAt).where(sql`next_try_at is not null`)],
);

/** Values that did not fit their typed column; the record is whole in `_data`. */
export const unfitValues = mirror.table(
  'unfit_values',
  {
    resource: text('resource').notNull(),
    columnName: text('column_name').notNull(),
    count: bigint('count', { mode: 'bigint' }).notNull().default(sql`1`),
    lastRecordId: text('last_record_id').notNull(),
    lastSeenAt: moment('last_seen_at').notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.resource, table.columnName] })],
);

/**
 * What Procore's rate-limit headers last said of each window, less what was taken since (`mirror.take_calls`), and the pauses
 * of companies after a 429 (`pause`).
 */
export const budget = mirror.table(
  'budget',
  {
    window: text('window_name').notNull(),
    /** Whose window it is; NULL: of all companies that have none of their own, as Procore's are as far as we know. */
    companyId: id('company_id'),
    callLimit: integer('call_limit').notNull(),
    remaining: integer('remaining').notNull(),
    resetAt: moment('reset_at').notNull(),
    /** When we took it for begun: the answer to a call that went out before says nothing of this window. */
    openedAt: moment('opened_at').notNull().default(now),
    /**
     * `header`: an answer told of this window. `count`: it is new, and answers tell of the other one, so this has more
     * left; the limit is the one it had before, less our own calls. `assumed`: an hour that no answer told of yet, counted like
     * that from a careful limit. `probe`: nothing is known, few calls go out (`first_calls`).
     * `refusal`: of a pause, until one call may ask whether it is over.
     */
    knownBy: text('known_by').notNull().default('probe'),
    /** Of a pause: calls in a row that asked and were refused. */
    refusals: integer('refusals').notNull().default(0),
    /** Our calls that Procore may have counted in this window. */
    calls: integer('calls').notNull().default(0),
    /** Calls that it counted and that are not ours, at least. */
    callsOfOthers: integer('calls_of_others').notNull().default(0),
    /** Calls granted in this window to each lane, in the order of the lanes; NULL: none. */
    laneCalls: integer('lane_calls').array().notNull().default([]),
    updatedAt: moment('updated_at').notNull().default(now),
  },
  (table) => [unique('budget_window').on(table.window, table.companyId).nullsNotDistinct()],
);

/**
 * A row for each thing that one transaction at a time may do; it holds the row meanwhile (`mirror.take_turn`). Readers cannot
 * lock rows, as they could hold advisory locks.
 */
export const turns = mirror.table('turns', { of: text('of').primaryKey() });

/** How many calls of the window that runs, a shared one or its own, each company had leave for. */
export const budgetUse = mirror.table(
  'budget_use',
  {
    window: text('window_name').notNull(),
    companyId: id('company_id').notNull(),
    used: integer('used').notNull(),
    /** Of these, for news of events: calls of the lanes live and detail. */
    usedLive: integer('used_live').notNull().default(0),
    /** The same in the window before. */
    usedLiveBefore: integer('used_live_before').notNull().default(0),
    /** What the headers of the company's answers about this window said, the last one of Remaining last; for `mirror.compare_limits`. */
    saidLimit: integer('said_limit'),
    saidRemaining: integer('said_remaining').array(),
    saidResetAt: moment('said_reset_at'),
    saidAt: moment('said_at'),
  },
  (table) => [primaryKey({ columns: [table.window, table.companyId] })],
);

/** Processes that make calls, and how many each has under way: as it told when it last asked, and what it was granted and heard since. */
export const callers = mirror.table('callers', {
  holder: text('holder').primaryKey(),
  underWay: integer('under_way').notNull(),
  /** The same by company: an object of numbers. */
  underWayOf: jsonb('under_way_of').notNull().default({}),
  seenAt: moment('seen_at').notNull().default(now),
});

/**
 * Whose Procore's limits are, as far as answers showed; one row, none before the first two companies were compared. Until it is
 * settled, and if they are of `all`, companies share the windows of the budget; else each `company` has windows of its own. Who
 * deletes the row has it found out anew.
 */
export const budgetOwner = mirror.table(
  'budget_owner',
  {
    one: boolean('one').primaryKey().default(true),
    /** NULL: not settled. */
    owner: text('owner', { enum: ['all', 'company'] }),
    /** Answers in a row that spoke for one window of all; below zero: for windows of their own. */
    answers: integer('answers').notNull().default(0),
    /** What settled it: `answers` or a `refusal`. */
    because: text('because', { enum: ['answers', 'refusal'] }),
    settledAt: moment('settled_at'),
  },
  (table) => [check('budget_owner_one', sql`${table.one}`)],
);

/** Lanes with a share of their own, and when somebody last asked for a call in each: for those nobody uses nothing is kept. */
export const budgetLanes = mirror.table('budget_lanes', {
  lane: lane('lane').primaryKey(),
  askedAt: moment('asked_at').notNull(),
});

/** Calls that went out while nothing was known of a window, and that have no answer yet: the next ones wait for it, but not for long. */
export const firstCalls = mirror.table('first_calls', {
  companyId: id('company_id').notNull(),
  calledAt: moment('called_at').notNull(),
});

/**
 * What is to be mirrored: a row for each company (NULL project) and for each of its projects that Procore shows us. What is not
 * selected any more stays, with the time when it left, until it is forgotten.
 */
export const selection = mirror.table(
  'selection',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    /** Of a project, as Procore's list of projects says. */
    name: text('name'),
    isActive: boolean('is_active').notNull().default(true),
    isSelected: boolean('is_selected').notNull(),
    /**
     * Since when it is selected. Projects of the first list of a company have its time; one with a later time is new, or is back, and is to
     * be filled.
     */
    selectedAt: moment('selected_at').notNull().default(now),
    /** When Procore last showed it; of a company: when its projects were last listed. */
    seenAt: moment('seen_at'),
    /** Since when it is not selected; NULL while it is. */
    leftAt: moment('left_at'),
    /** Of a company: an event told of its projects then, and they were not listed since. */
    announcedAt: moment('announced_at'),
    /** Of a project that is not selected: an operator had it forgotten then, and its events are ignored. */
    forgottenAt: moment('forgotten_at'),
  },
  (table) => [unique('selection_scope').on(table.companyId, table.projectId).nullsNotDistinct()],
);

/** Our hooks, one for each scope and payload version, as they were when we last looked, and what Procore did not take. */
export const hooks = mirror.table(
  'hooks',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    payloadVersion: text('payload_version').notNull(),
    /** NULL: there is none. */
    hookId: text('hook_id'),
    /** As Procore says; `missing`: it was gone, and is to be made anew. */
    status: text('status'),
    destinationUrl: text('destination_url'),
    triggerCount: integer('trigger_count'),
    /** Tells the set of triggers that were wanted and offered when its triggers were last listed; they were as right as can be then. */
    wantedKey: text('wanted_key'),
    /** The fingerprint of the secret that we last set. */
    secretKey: text('secret_key'),
    /** Names of resources that are not offered there, and of what was refused although it is (`RFIs update`). */
    notOffered: text('not_offered').array().notNull().default(sql`'{}'`),
    refused: text('refused').array().notNull().default(sql`'{}'`),
    /** When it was last looked at, and when its triggers were last listed. */
    lookedAt: moment('looked_at'),
    triggersListedAt: moment('triggers_listed_at'),
    /** Why it is not as it should be, in words; NULL: it is. */
    finding: text('finding'),
    /** Tells of which resources it had all triggers when these were last listed (`mirror.trigger_sets`). */
    carriesKey: text('carries_key'),
    /** When it was last seen to be active. */
    goodUntil: moment('good_until'),
  },
  (table) => [
    unique('hooks_scope').on(table.companyId, table.projectId, table.payloadVersion).nullsNotDistinct(),
    index('hooks_looked_at').on(table.lookedAt),
  ],
);

/** Sets of resources of which a hook has the triggers create, update and delete; names in lower case. */
export const triggerSets = mirror.table('trigger_sets', {
  key: text('key').primaryKey(),
  resources: text('resources').array().notNull(),
});

/**
 * Times of which changes may be lacking though Procore's log of deliveries does not tell of them, until a proof shows otherwise: no hook or
 * no trigger was there to send their events, the app was disconnected, or what told of them was ignored or discarded. For 400 days.
 */
export const eventGaps = mirror.table(
  'event_gaps',
  {
    companyId: id('company_id').notNull(),
    /** NULL: of the company itself; where a resource is named, of all its projects, too. */
    projectId: id('project_id'),
    /** In lower case; NULL: all. */
    resource: text('resource'),
    /** Until when nothing is lacking; minus infinity: nobody knows. */
    since: moment('since').notNull(),
    until: moment('until').notNull(),
    /** `hook`, `disconnected`, `ignored`, `discarded`. */
    because: text('because').notNull().default('hook'),
    /** When what it touches was put in turn to be proved again; NULL: not yet. */
    heededAt: moment('heeded_at'),
  },
  (table) => [
    index('event_gaps_of').on(table.companyId, table.projectId),
    index('event_gaps_open').on(table.companyId, table.until).where(sql`heeded_at is null`),
  ],
);

/**
 * What was last seen in Procore's log of deliveries of each hook, a row for each status that was asked for. A look that failed leaves what
 * the last good one noted.
 */
export const deliveryLooks = mirror.table(
  'delivery_looks',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    hookId: text('hook_id').notNull(),
    status: text('status').notNull(),
    /** From which day on the last good look read, and when it was; NULL: there was none. */
    day: date('day', { mode: 'string' }),
    lookedAt: moment('looked_at'),
    /** What it read: pages, events, those of them that we lacked, and when the newest happened. */
    pages: integer('pages').notNull().default(0),
    found: integer('found').notNull().default(0),
    newEvents: integer('new_events').notNull().default(0),
    newestEventAt: moment('newest_event_at'),
    /** Events that stood right after a newer one, in all looks; NULL: one stood after an older one once, so the order tells nothing. */
    inOrder: integer('in_order').default(0),
    /** Of the last look, good or not: when it was, and why it failed, in words. After a failure: when the next may be. */
    triedAt: moment('tried_at').notNull().default(now),
    finding: text('finding'),
    nextAt: moment('next_at'),
    /** Of status `any`, the whole log: all events that happened between these are recorded. */
    coversFrom: moment('covers_from'),
    coversUntil: moment('covers_until'),
  },
  (table) => [unique('delivery_looks_look').on(table.companyId, table.hookId, table.status)],
);

/** What the busiest hooks of each company said of events that Procore has yet to deliver, when they were last asked. */
export const undelivered = mirror.table('undelivered', {
  companyId: id('company_id').primaryKey(),
  askedAt: moment('asked_at').notNull(),
  count: integer('count').notNull(),
  /** When the oldest of them happened. */
  oldestAt: moment('oldest_at'),
  /** For how many hours the oldest had waited then: 2, 6 or 11; 0: for less. */
  alarmHours: smallint('alarm_hours').notNull().default(0),
});

/** Repairs that somebody asked for, a row for each company, for 90 days. */
export const repairs = mirror.table(
  'repairs',
  {
    request: text('request').notNull(),
    companyId: id('company_id').notNull(),
    /** NULL: all of the company. */
    projectId: id('project_id'),
    /** From when on delivered events are read, too; NULL: what was not delivered since the last looks. */
    since: moment('since'),
    requestedAt: moment('requested_at').notNull().default(now),
    /** Since when missed deliveries are looked for, as the first worker at it told. */
    missedSince: moment('missed_since'),
    finishedAt: moment('finished_at'),
    /** What its looks came to until now. */
    calls: integer('calls').notNull().default(0),
    found: integer('found').notNull().default(0),
    newEvents: integer('new_events').notNull().default(0),
    /** Bodies in the log that nobody can read as an event. */
    unread: integer('unread').notNull().default(0),
    /** The oldest event that they read. */
    oldestEventAt: moment('oldest_event_at'),
    /** Days on which we missed deliveries and that the log does not reach back to. */
    olderThanLog: date('older_than_log', { mode: 'string' }).array().notNull().default(sql`'{}'`),
  },
  (table) => [primaryKey({ columns: [table.request, table.companyId] })],
);

/** Which Procore this database mirrors, in one row: ids of one environment mean something else in another. */
export const origin = mirror.table('origin', {
  only: boolean('only').primaryKey().default(true),
  /** As in PROCORE_ENVIRONMENT, of the first worker. */
  environment: text('environment').notNull(),
  notedAt: moment('noted_at').notNull().default(now),
  /** When the mirror was last emptied because its sandbox was overwritten. */
  resetAt: moment('reset_at'),
});

/** What one worker at a time does beside fetching, and which has it. */
export const duties = mirror.table('duties', {
  name: text('name').primaryKey(),
  leaseHolder: text('lease_holder').notNull(),
  leaseUntil: moment('lease_until').notNull(),
});

/** Workers that run, or ran within the last day. */
export const workers = mirror.table('workers', {
  holder: text('holder').primaryKey(),
  startedAt: moment('started_at').notNull().default(now),
  seenAt: moment('seen_at').notNull().default(now),
  /** NULL: it runs, or ended without a word. */
  stoppedAt: moment('stopped_at'),
  /** The companies that it mirrors; NULL: it does not say. */
  companyIds: bigint('company_ids', { mode: 'bigint' }).array(),
  /** What it says of itself with each of these words: version, whether it looks after hooks, trouble of its login, clocks. */
  report: jsonb('report'),
});

/** Backfills of a resource in a scope, each until it is asked for again: how far each has come, and who works at it. */
export const backfills = mirror.table(
  'backfills',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    resource: text('resource').notNull(),
    /** `waiting`, `running`, `done`, `failed`, or `off`: Procore says that the tool is off there. */
    state: text('state').notNull(),
    rows: bigint('rows', { mode: 'bigint' }).notNull().default(sql`0`),
    detail: text('detail'),
    startedAt: moment('started_at').notNull().default(now),
    finishedAt: moment('finished_at'),
    /** What asked for it: the id of a request (several resources share one), and when. */
    request: text('request'),
    requestedAt: moment('requested_at').notNull().default(now),
    /** The order in which backfills are taken: companies before projects, parents before children, whole lists before thin ones. */
    position: integer('position').notNull().default(0),
    /** How many records there are, as far as counts or a Total told. */
    total: bigint('total', { mode: 'bigint' }),
    /** Calls that it took until now. */
    calls: bigint('calls', { mode: 'bigint' }).notNull().default(sql`0`),
    /** Where it goes on: window, parent, page. NULL: at the beginning. */
    place: jsonb('place'),
    /** The parents it walks over, in order; written once, apart from the place that changes with each page. */
    parents: jsonb('parents'),
    /** Rows that it buried, because lists that were read to their end lack them. */
    buried: bigint('buried', { mode: 'bigint' }).notNull().default(sql`0`),
    /** When the last one began that read all there is without a flaw, and the one before of which no record is left to be shown. */
    completeSince: moment('complete_since'),
    completeBefore: moment('complete_before'),
    /** Failures in a row, since it last got on. */
    attempts: integer('attempts').notNull().default(0),
    /** When it may be taken. */
    dueAt: moment('due_at').notNull().default(now),
    leaseHolder: text('lease_holder'),
    leaseUntil: moment('lease_until'),
  },
  (table) => [
    unique('backfills_scope').on(table.companyId, table.projectId, table.resource).nullsNotDistinct(),
    index('backfills_open').on(table.position, table.dueAt).where(sql`state in ('waiting', 'running')`),
  ],
);

/**
 * Comparisons of a resource in a scope with Procore, each until it is asked for again: what it is to do, how far it has come, and who works at
 * it. What it found is in `differences`, what it proves in `proofs`.
 */
export const comparisons = mirror.table(
  'comparisons',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    resource: text('resource').notNull(),
    /** What asked for it: several resources share a request. NULL: the schedule. */
    request: text('request'),
    requestedAt: moment('requested_at').notNull().default(now),
    /**
     * How far up the ladder it goes: `count`, `window`, `bin`, `listing`, `climb` (as far as it takes) or `sample`; and how many records a
     * sample has in all, of which so many are of this resource.
     */
    rung: text('rung').notNull(),
    sample: integer('sample'),
    shows: integer('shows'),
    /** What differs is to be fetched, and what is gone to be buried; as many as there are, whatever `DELETE_CAP` says. */
    repairs: boolean('repairs').notNull().default(false),
    buriesAll: boolean('buries_all').notNull().default(false),
    /** `waiting`, `running`, `done`, or `off`: Procore says that the tool is off there. */
    state: text('state').notNull(),
    /** `equal`, `differs` or `not proved`; NULL until it is over. */
    outcome: text('outcome'),
    /** Why it is not proved, or what else is to be known. */
    detail: text('detail'),
    position: integer('position').notNull().default(0),
    startedAt: moment('started_at'),
    finishedAt: moment('finished_at'),
    calls: bigint('calls', { mode: 'bigint' }).notNull().default(sql`0`),
    /** Where it goes on. NULL: at the beginning. */
    place: jsonb('place'),
    attempts: integer('attempts').notNull().default(0),
    dueAt: moment('due_at').notNull().default(now),
    leaseHolder: text('lease_holder'),
    leaseUntil: moment('lease_until'),
    /** When the schedule compares it next by the cheap rungs, and by its whole lists, or looks whether it can. */
    nextCheapAt: moment('next_cheap_at').notNull().default(now),
    nextListingAt: moment('next_listing_at').notNull().default(now),
    /**
     * Since when comparisons found a difference, or changes may be lacking (`mirror.event_gaps`), and no comparison of whole lists found it
     * equal.
     */
    differsSince: moment('differs_since'),
  },
  (table) => [
    unique('comparisons_scope').on(table.companyId, table.projectId, table.resource).nullsNotDistinct(),
    index('comparisons_open').on(table.position, table.dueAt).where(sql`state in ('waiting', 'running')`),
    index('comparisons_next_cheap').on(table.companyId, table.nextCheapAt).where(sql`state in ('done', 'off')`),
    index('comparisons_next_listing').on(table.companyId, table.nextListingAt).where(sql`state in ('done', 'off')`),
    index('comparisons_differing')
      .on(table.companyId, table.nextListingAt)
      .where(sql`state = 'done' and differs_since is not null`),
  ],
);

/** Records that the last comparison of their resource in the scope found to differ from Procore's. */
export const differences = mirror.table(
  'differences',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    resource: text('resource').notNull(),
    recordId: text('record_id').notNull(),
    /** `missing`: Procore shows it, and no live row does. `changed`: the row has another content. `extra`: Procore shows it no more. */
    kind: text('kind').notNull(),
    /** Of one that changed: the fields that differ. */
    fields: text('fields').array(),
    /** Of which parent's list it is, or was thought to be. */
    parentId: text('parent_id'),
    /** Was it there at a second look, too? Until then nobody is told. */
    isSure: boolean('is_sure').notNull().default(false),
    foundAt: moment('found_at').notNull().default(now),
  },
  (table) => [
    unique('differences_record')
      .on(table.companyId, table.projectId, table.resource, table.recordId)
      .nullsNotDistinct(),
  ],
);

/** What comparisons with Procore showed, one row for each, for 90 days. */
export const proofs = mirror.table(
  'proofs',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    resource: text('resource').notNull(),
    /** How far up the ladder it went: `count`, `window`, `bin`, `listing` or `sample`. */
    rung: text('rung').notNull(),
    /** When it ended, and from when on what it says holds: when it began. */
    provedAt: moment('proved_at').notNull().default(now),
    asOf: moment('as_of').notNull(),
    /** Live rows of ours, and records that Procore told of; NULL: not counted. */
    ours: bigint('ours', { mode: 'bigint' }),
    theirs: bigint('theirs', { mode: 'bigint' }),
    /** How many records differed. */
    missing: bigint('missing', { mode: 'bigint' }).notNull(),
    changed: bigint('changed', { mode: 'bigint' }).notNull(),
    extra: bigint('extra', { mode: 'bigint' }).notNull(),
    calls: bigint('calls', { mode: 'bigint' }).notNull(),
    /** `equal`, `differs` or `not proved`. */
    outcome: text('outcome').notNull(),
    detail: text('detail'),
  },
  (table) => [
    index('proofs_of').on(table.companyId, table.projectId, table.resource, table.provedAt),
    index('proofs_listed')
      .on(table.companyId, table.projectId, table.resource, table.provedAt, table.asOf)
      .where(sql`outcome = 'equal' and rung = 'listing'`),
  ],
);

/** What proofs come to for each table, kept by triggers: when it was last proved equal by each rung, and as of when. */
export const latestProofs = mirror.table(
  'latest_proofs',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    resource: text('resource').notNull(),
    byListingAt: moment('by_listing_at'),
    byBinAt: moment('by_bin_at'),
    byWindowAt: moment('by_window_at'),
    byCountAt: moment('by_count_at'),
    /** From when on a whole list that was equal holds, and comparisons and samples that were not. */
    listedSince: moment('listed_since'),
    differsSince: moment('differs_since'),
    sampledSince: moment('sampled_since'),
    /** The same of whole lists that were equal before the last such: when the last of them was, and from when on they hold. */
    beforeAt: moment('before_at'),
    beforeSince: moment('before_since'),
  },
  (table) => [unique('latest_proofs_of').on(table.companyId, table.projectId, table.resource).nullsNotDistinct()],
);

/** What is known of each list of Procore, of a company or a project, or of one parent where its path names one. */
export const lists = mirror.table(
  'lists',
  {
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    resource: text('resource').notNull(),
    /** NULL also for what holds for the lists of all parents. */
    parentId: text('parent_id'),
    /** The size of page that was answered when a larger one failed; NULL: any is. A larger one is tried again then. */
    pageSize: integer('page_size'),
    largerPageAt: moment('larger_page_at'),
    /** By how much its Total is above what comes, and in how many readings in a row; more than one: a habit. */
    totalDifference: bigint('total_difference', { mode: 'bigint' }),
    totalReadings: integer('total_readings').notNull().default(0),
    /** The same, when no row of ours was lacking in the list: only then it counts none of them. */
    innocentDifference: bigint('innocent_difference', { mode: 'bigint' }),
  },
  (table) => [
    unique('lists_list').on(table.companyId, table.projectId, table.resource, table.parentId).nullsNotDistinct(),
  ],
);

/** What a count is of. */
const countOf = () => ({
  companyId: id('company_id').notNull(),
  projectId: id('project_id'),
  /** NULL of calls that serve none. */
  resource: text('resource'),
  /** `row`s of the mirrored table, `pending` records, `event`s of the log, or `call`s. */
  kind: text('kind').notNull(),
  /** Of pending records their lane; of events why they were ignored, NULL: they were not; of calls `news` where events led to them. */
  part: text('part'),
});
const number = (name: string) => bigint(name, { mode: 'bigint' }).notNull().default(sql`0`);
const howMany = () => ({
  total: number('total'),
  /** Of rows: those that Procore shows. */
  live: number('live'),
  /** Of live rows: those that are not complete. Of pending records: those that a backfill read in part only. */
  parts: number('parts'),
  /** Of pending records: those whose fetch failed. Of calls: those that were not answered 2xx. */
  failed: number('failed'),
  /** When the last of them was fetched, arrived or went out. */
  lastAt: moment('last_at'),
});

/**
 * Counts that are kept, so that nobody has to count: each is the sum of its row here, if there is one, and of all its rows in
 * `count_changes`.
 */
export const counts = mirror.table(
  'counts',
  {
    ...countOf(),
    ...howMany(),
    /** Of events and calls: those of the last day. */
    lately: number('lately'),
    /** Of pending records: since when the first of them waits, and when the earliest of their news happened. */
    firstSeenAt: moment('first_seen_at'),
    happenedAt: moment('happened_at'),
  },
  (table) => [
    unique('counts_count')
      .on(table.kind, table.companyId, table.projectId, table.resource, table.part)
      .nullsNotDistinct(),
  ],
);

/** By how much statements changed counts. Triggers write them, so that nobody waits for a count; workers add them to `counts`. */
export const countChanges = mirror.table('count_changes', {
  ...countOf(),
  ...howMany(),
  /** The ten minutes in which events arrived and calls went out. */
  period: moment('period'),
  /** Of pending records that came, went or changed: the earliest of these moments. What `counts` has is right where it is earlier. */
  touchedSeenAt: moment('touched_seen_at'),
  touchedHappenedAt: moment('touched_happened_at'),
});

/** The events and calls of the last day, as far as they are in `counts`, by ten minutes. */
export const countPeriods = mirror.table(
  'count_periods',
  { ...countOf(), period: moment('period').notNull(), total: number('total'), failed: number('failed') },
  (table) => [
    unique('count_periods_count')
      .on(table.period, table.companyId, table.projectId, table.resource, table.kind, table.part)
      .nullsNotDistinct(),
  ],
);

/**
 * Walks over parents that a run could not end, each until a run goes on with it. Those are forgotten of which nothing is
 * pending any more, and all after a day.
 */
export const walks = mirror.table(
  'walks',
  {
    /** A number of its own, taken before its first request. */
    version: bigint('version', { mode: 'bigint' }).primaryKey(),
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    /** Whose records are looked for under one parent after the other. */
    resource: text('resource').notNull(),
    lane: lane('lane').notNull(),
    /** The numbers of the news that it looks for the records of; of a record with later news it proves nothing. */
    generations: bigint('generations', { mode: 'bigint' }).array().notNull(),
    /** When it stopped; since when it waits for parents that do not answer, if they are all that is left. */
    keptAt: moment('kept_at').notNull().default(now),
    /** Which records it looks for, where it was, and where it has yet to go: parents by id, and lists of parents. */
    place: jsonb('place').notNull(),
  },
  (table) => [index('walks_batch').on(table.companyId, table.projectId, table.resource, table.lane)],
);

/** Requests to Procore, each by itself, for seven days. */
export const fetches = mirror.table(
  'fetches',
  {
    /** The number of the run of a batch that made it; NULL for others. */
    version: bigint('version', { mode: 'bigint' }),
    /** When it went out. */
    calledAt: moment('called_at').notNull(),
    companyId: id('company_id').notNull(),
    projectId: id('project_id'),
    /** The resource whose records were wanted, also where its parents were asked. NULL: hooks and lists of projects. */
    resource: text('resource'),
    lane: lane('lane'),
    /** Method and path, ids replaced, without the query. */
    route: text('route').notNull(),
    /** NULL: no answer. */
    status: integer('status'),
    ms: integer('ms').notNull(),
    /** Of the body; NULL where it was not read. */
    bytes: bigint('bytes', { mode: 'bigint' }),
    /** Items of the list that came, 1 for one record; NULL where nothing was understood. */
    records: integer('records'),
  },
  (table) => [
    index('fetches_called_at').on(table.calledAt),
    index('fetches_version').on(table.version).where(sql`version is not null`),
  ],
);

/** The same in periods of ten minutes, of the last two days. */
export const calls = mirror
  .view('calls', {
    companyId: id('company_id'),
    projectId: id('project_id'),
    resource: text('resource'),
    periodStart: moment('period_start'),
    count: integer('count'),
    /** Those that news from events led to; the others filled the mirror. */
    forEvents: integer('for_events'),
    /** Those that were not answered 2xx. */
    failed: integer('failed'),
    /** NULL: the last one got no answer. */
    lastStatus: integer('last_status'),
    lastCalledAt: moment('last_called_at'),
  })
  .as(sql`
select company_id, project_id, resource, date_bin('10 minutes', called_at, '2000-01-01 00:00+00') as period_start,
  count(*)::integer as count, (count(*) filter (where lane <= 'detail'))::integer as for_events,
  (count(*) filter (where coalesce(status not between 200 and 299, true)))::integer as failed,
  (array_agg(status order by called_at desc))[1] as last_status, max(called_at) as last_called_at
from mirror.fetches where called_at > now() - interval '48 hours' group by 1, 2, 3, 4`);

/**
 * Statements that migrations left to the workers, because they take long on a filled table: one worker at a time does one at
 * a time. Those that are done stay for the record.
 */
export const upkeep = mirror.table('upkeep', {
  /** Of an index its name with its schema; of a filling the one that its migration gave it. */
  name: text('name').primaryKey(),
  /** `index`: built concurrently. `filling`: repeated until it touches no row. */
  kind: text('kind').notNull(),
  statement: text('statement').notNull(),
  /** The table that it works on. */
  tableSchema: text('table_schema').notNull(),
  tableName: text('table_name').notNull(),
  /** They are done in this order. */
  position: bigint('position', { mode: 'bigint' }).generatedAlwaysAsIdentity(),
  addedAt: moment('added_at').notNull().default(now),
  doneAt: moment('done_at'),
  /** Rows that a filling has touched. */
  rows: bigint('rows', { mode: 'bigint' }).notNull().default(sql`0`),
  /** Failures in a row, when it is tried again, and why it failed last. */
  failures: integer('failures').notNull().default(0),
  nextTryAt: moment('next_try_at'),
  lastError: text('last_error'),
  leaseHolder: text('lease_holder'),
  leaseUntil: moment('lease_until'),
});

/** Fields that Procore sends and no column holds, and columns whose field does not come any more; found by samples. */
export const schemaDrift = mirror.table(
  'schema_drift',
  {
    resource: text('resource').notNull(),
    field: text('field').notNull(),
    /** `unknown` or `vanished`. */
    kind: text('kind').notNull(),
    /** What kind of JSON value an unknown field held. */
    jsonType: text('json_type'),
    /** Sampled records that had the unknown field, or lacked the vanished one. */
    count: bigint('count', { mode: 'bigint' }).notNull(),
    exampleRecordId: text('example_record_id').notNull(),
    firstSeenAt: moment('first_seen_at').notNull().default(now),
    lastSeenAt: moment('last_seen_at').notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.resource, table.field, table.kind] })],
);
