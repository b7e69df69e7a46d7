// What the mirror knows of one resource. Tables, store statements, fetch plans, backfill, the simulator and the docs
// follow from it, so a fact about a resource stands in its entry and nowhere else.
import { z } from 'zod';

const path = z
  .string()
  .regex(/^\/rest\/v\d+\.\d+\/[^\s]+$/, 'must start with /rest/v<major>.<minor>/ and hold no blanks');

const listEntry = z.strictObject({
  path,
  /** Does a list item carry all that show carries? Only then does a list call complete a row. */
  carries: z.enum(['whole record', 'part of the record']),
  /** How the list is asked for certain ids; null when it cannot be asked, or for one id only. */
  filterByIds: z.enum(['filters[id][]', 'filters[id]', 'filters[ids]']).nullable().default(null),
  /** Daily logs and timecards list today only unless a date or a range is given. */
  todayOnly: z.boolean().default(false),
  /** Query parameters without which the list hides some of its records. */
  showAll: z.record(z.string(), z.string()).default({}),
});

const parentEntry = z.strictObject({
  resource: z.string(),
  /** The path parameter and column that hold the parent's id. */
  key: z.string().regex(/^[a-z][a-z0-9_]*_id$/),
  /** The field of the parent's show that lists the children, for resources that have no endpoint of their own. */
  embeddedAs: z.string().nullable().default(null),
  /** Does show of the parent repeat the child? Then an event of the child is news of the parent, too. */
  repeatsChild: z.boolean().default(false),
});

export const catalogueEntry = z.strictObject({
  /** As Procore spells it in `resource_name` and `resource_type`. */
  resource: z.string().min(1),
  /** The tool of Procore's user interface it belongs to. */
  tool: z.string(),
  scope: z.enum(['company', 'project']),
  /** The event types that a hook may ask for. */
  events: z.array(z.enum(['create', 'update', 'delete'])),
  idType: z.enum(['bigint', 'text']).default('bigint'),
  /** One id can occur in several projects (a person, a vendor), so the project is part of the key. */
  idRepeatsAcrossProjects: z.boolean().default(false),
  show: path.nullable().default(null),
  list: listEntry.nullable().default(null),
  parent: parentEntry.nullable().default(null),
  /** Resources whose rows of the same id change with this one and send no event of their own. */
  alsoChanges: z.array(z.string()).default([]),
});

export type CatalogueEntry = z.infer<typeof catalogueEntry>;
export type CatalogueEntryInput = z.input<typeof catalogueEntry>;
