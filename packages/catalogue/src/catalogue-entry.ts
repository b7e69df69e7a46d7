// What the mirror knows of one resource. Tables, store statements, fetch plans, backfill, the simulator and the docs
// follow from it, so a fact about a resource stands in its entry and nowhere else.
import { z } from 'zod';

const path = z
  .string()
  .regex(/^\/rest\/v\d+\.\d+\/[^\s]+$/, 'must start with /rest/v<major>.<minor>/ and hold no blanks');

const key = z.string().regex(/^[a-z][a-z0-9_]{0,50}_id$/, 'must look like rfi_id');

/** What the record or list is wrapped in. `none`: it is the answer itself; `data`: it stands in that field of an object. */
const wrapper = z.enum(['none', 'data']);
export type Wrapper = z.infer<typeof wrapper>;

const wrappers = z.array(wrapper).min(1).nullable().default(null);

const listEntry = z.strictObject({
  path,
  /** Does a list item carry all that show carries? Only then does a list call complete a row. */
  carries: z.enum(['whole record', 'part of the record']),
  /** How the list is asked for certain ids; null when it cannot be asked, or for one id only. */
  filterByIds: z.enum(['filters[id][]', 'filters[id]', 'filters[ids]']).nullable().default(null),
  /** Does it take `filters[updated_at]=A...B` (docs/procore.md: Filters)? Then what changed since a time can be asked for. */
  filterByUpdate: z.boolean().default(false),
  /** Daily logs and timecards list today only unless a date or a range is given. */
  todayOnly: z.boolean().default(false),
  /** The field of the record that holds the day by which such a list chooses. */
  dayField: z.string().default('date'),
  /** In which forms it may come; when left out, as is usual for the version in the path. Anything else is malformed. */
  wrappers,
  /** Query parameters without which the list hides some of its records, or parts of them. */
  showAll: z.record(z.string(), z.string()).default({}),
  /** Paths of further lists of the resource, of records that this one hides whatever it is asked: a backfill reads them, too. */
  also: z.array(path).default([]),
  /** What it leaves out whatever it is asked: records that it lacks may be there. */
  hides: z.string().nullable().default(null),
  /** The field that holds the records, of the answer or of each of its groups, where the answer is no plain list. */
  within: z.string().nullable().default(null),
  /** The list is of one record of another resource, which show does not ask for. */
  under: z.strictObject({ resource: z.string(), key }).nullable().default(null),
  /** Records of other resources are among them and nothing tells which: only what an event named is taken from it. */
  shared: z.boolean().default(false),
});

/** Where the records are shown that were deleted (docs/procore.md: Deletion): what is there is gone, what is not there may be gone, too. */
const binEntry = z.strictObject({
  /** A list of its own; when left out, the list of the resource, which shows what was deleted when `query` or `since` asks for it. */
  path: path.nullable().default(null),
  /** What has to be asked for. */
  query: z.record(z.string(), z.string()).default({}),
  /** The filter that leaves out what was deleted earlier; null: it takes none, and all of it is read. */
  since: z.enum(['filters[updated_at]', 'filters[deleted_at]']).nullable().default(null),
  /** Comes it in pages? Else all at once. */
  hasPages: z.boolean().default(true),
});

const parentEntry = z.strictObject({
  resource: z.string(),
  /** Other resources whose records may be the parent, too: a contract is a purchase order or a work order. */
  alsoOf: z.array(z.string()).default([]),
  /** The parameter of the paths and the column that hold the parent's id. */
  key,
  /** The field of the record that names the parent, where it has one: `contract_id`, `holder.id`. */
  namedBy: z.string().nullable().default(null),
  /** The field of the parent's show that lists the children, for resources that have no endpoint of their own. */
  embeddedAs: z.string().nullable().default(null),
  /** Does show of the parent repeat the child? Then an event of the child is news of the parent, too. */
  repeatsChild: z.boolean().default(false),
});

/** A field of Procore as a typed column. */
export const columnEntry = z.strictObject({
  name: z
    .string()
    .regex(/^[^_]/, { error: "must not begin with _: such columns are the mirror's own", abort: true })
    .regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be a field of Procore: a-z, 0-9 and _'),
  type: z.enum(['bigint', 'text', 'boolean', 'numeric', 'date', 'timestamptz', 'jsonb']),
  note: z.string().optional(),
});

export const catalogueEntry = z.strictObject({
  /** As Procore spells it in `resource_name` and `resource_type`. */
  resource: z.string().max(55).regex(/[a-z]/i, 'must hold a letter'),
  /** The tool of Procore's user interface it belongs to. */
  tool: z.string(),
  /** Other tools of a project that show it, too: only where all of them are off it is out of reach. */
  alsoOpenedBy: z.array(z.string()).default([]),
  scope: z.enum(['company', 'project']),
  /** The event types it may have. Hooks are asked for the first three only: no trigger was ever seen for the others. */
  events: z.array(z.enum(['create', 'update', 'delete', 'created', 'completed'])),
  idType: z.enum(['bigint', 'text']).default('bigint'),
  /** One id can occur in several projects (a person, a vendor), so the project is part of the key. */
  idRepeatsAcrossProjects: z.boolean().default(false),
  show: path.nullable().default(null),
  /** In which forms show may come; when left out, as is usual for the version in the path. Anything else is malformed. */
  showWrappers: wrappers,
  list: listEntry.nullable().default(null),
  bin: binEntry.nullable().default(null),
  parent: parentEntry.nullable().default(null),
  /** Resources whose rows of the same id change with this one and send no event of their own. */
  alsoChanges: z.array(z.string()).default([]),
  /** Why its records cannot be read; then it has neither paths nor table, and its events are only logged. */
  unread: z.string().nullable().default(null),
  /** Typed columns; when left out, those we know of the resource. Everything else is in `_data` all the same. */
  columns: z.array(columnEntry).optional(),
});

export type CatalogueEntry = z.infer<typeof catalogueEntry>;
export type CatalogueEntryInput = z.input<typeof catalogueEntry>;

/**
 * The forms in which an answer from this path may come. v2 answers sit in `data`, v1 answers are mostly bare
 * (docs/procore.md: Answers).
 */
export function wrappersOf(declared: readonly Wrapper[] | null, path: string): readonly Wrapper[] {
  return declared ?? (path.startsWith('/rest/v2') ? ['data'] : ['none']);
}
