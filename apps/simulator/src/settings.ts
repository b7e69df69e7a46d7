// Everything about the simulator that can be changed while it runs, with its defaults.
import { z } from 'zod';

const share = z.number().min(0).max(1);
const milliseconds = z.number().min(0);
const count = z.number().int().min(0);

export const settingsSchema = z.strictObject({
  /** Life of an access token. */
  tokenSeconds: z.number().positive().default(5400),
  /** Calls in an hour and in ten seconds; null for no limit. Procore documents 600 and 25. */
  callsPerHour: count.nullable().default(600),
  callsPerTenSeconds: count.nullable().default(25),
  /** Whose those are: a client id's, or each company's of a client id (docs/procore.md: Limits; it is not settled). */
  limitsOf: z.enum(['client', 'company']).default('client'),
  /** How long reads go on answering the state before an edit, for all resources and for some. */
  readLagMs: milliseconds.default(0),
  readLagMsOf: z.record(z.string(), milliseconds).default({}),
  /** How long a new, restored or moved record is not found where it now is; null: no longer than other edits lag. */
  createLagMs: milliseconds.nullable().default(null),
  /** Which headers tell of further pages of lists of records. */
  pageHeaders: z.array(z.enum(['Link', 'Total', 'Per-Page'])).default(['Link', 'Total', 'Per-Page']),
  /** What next links name as their host; null: the one that was asked. */
  linkOrigin: z.url().nullable().default(null),
  /** By how much Total is above what the list gives. */
  totalAbove: z.number().int().default(0),
  /** Lists with more records to a page are answered 500; null: none is. */
  largestPage: z.number().int().min(1).nullable().default(null),
  /** How long recycle bins and filters for deleted records show a record after its deletion; null: for ever, 0: they are emptied. */
  binsKeepMs: milliseconds.nullable().default(null),
  /** Do they show records that were not deleted, too, as none should? */
  binsShowLive: z.boolean().default(false),
  /** Is the service account Admin of the Daily Log? Else its logs are counted as far as they are approved. */
  isDailyLogAdmin: z.boolean().default(true),
  /** Resources without events in a company or project of this id, though others of its kind have them. */
  withoutEvents: z.record(z.string(), z.array(z.string())).default({}),
  /** Does an edit of a child send an update of the parent that repeats it, too? */
  parentSendsUpdate: z.boolean().default(false),
  /** Does a move between projects send a delete at the old place, before the update at the new one? */
  moveSendsDelete: z.boolean().default(false),
  /** Do children that went along with a moved parent send updates, too? */
  moveTellsChildren: z.boolean().default(false),
  /** Events whose delivery is tried twice to five times. */
  duplicateShare: share.default(0),
  /** Edits that send a second event with an id of its own. */
  twinShare: share.default(0),
  /** Events that are never delivered, nor listed among the deliveries. */
  lostShare: share.default(0),
  /** Deliveries that overtake others of their queue. */
  reorderShare: share.default(0),
  /** Requests at a time to one endpoint. */
  deliveryConcurrency: z.number().int().min(1).max(500).default(5),
  /** Between an edit and its first delivery. */
  deliveryDelayMs: milliseconds.default(0),
  /** How long an endpoint may take to answer; real time, whatever the clock. */
  deliveryTimeoutMs: z.number().positive().default(5000),
  /** In which order the log of deliveries comes; Procore does not say (docs/procore.md: Webhooks API). */
  deliveryLogOrder: z.enum(['newest first', 'oldest first', 'none']).default('newest first'),
  /** How many days the log shows, today included; null: as long as events are kept, at least a day. */
  deliveryLogDays: count.nullable().default(null),
  /** In which version the log prints a body; null: that of its hook. Procore's examples have v2.0 whatever the hook has. */
  deliveryLogVersion: z.enum(['v2.0', 'v3.0', 'v4.0']).nullable().default(null),
  /** Edits that write awkward values: ids beyond 2^53, long decimals, \u0000, emoji, nulls, unknown keys. */
  awkwardShare: share.default(0),
  /** Edits a minute that people make by themselves. */
  editsPerMinute: z.number().min(0).max(600_000).default(0),
  /** How many of the last calls can be looked at. */
  callsKept: count.default(1000),
});

export type Settings = z.infer<typeof settingsSchema>;
export type SettingsInput = z.input<typeof settingsSchema>;

/** Some of the settings; those that are not named stay unnamed, instead of becoming their defaults. */
export const settingsChange = z.custom<SettingsInput>().superRefine((change, context) => {
  for (const issue of settingsSchema.safeParse(change).error?.issues ?? []) context.addIssue({ ...issue });
});

/** The defaults with these changes; throws ZodError naming what is wrong. */
export function settingsOf(input: SettingsInput): Settings {
  return settingsSchema.parse(input);
}
