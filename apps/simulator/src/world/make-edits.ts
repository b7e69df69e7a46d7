// Edits as the control is asked for them: by name, or a number of them by chance.
import { z } from 'zod';
import { isObject, parseJson } from '../json.ts';
import type { Events } from '../webhooks/events.ts';
import type { ApplyEdit } from './edit-world.ts';
import { type KeyLine, keyLine } from './export-world.ts';
import { type Life, type MadeEdit, randomEditsSchema } from './life.ts';
import type { Fields } from './world.ts';

const id = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, 'must be an id');

const editSchema = z.strictObject({
  resource: z.string(),
  action: z.enum(['create', 'update', 'delete', 'restore', 'move', 'hide', 'reveal']),
  companyId: id.optional(),
  projectId: id.optional(),
  parentId: id.optional(),
  id: id.optional(),
  toProjectId: id.optional(),
  toParentId: id.optional(),
  /** Merged into the record; numbers keep the digits they are written with. */
  fields: z.custom<Fields>(isObject, 'must be an object').optional(),
  /** The same as text, for callers whose JSON loses digits. */
  raw: z.string().optional(),
  remove: z.array(z.string()).optional(),
  silent: z.boolean().optional(),
  awkward: z.boolean().optional(),
});

export const editsSchema = z.union([
  z.strictObject({ edits: z.array(editSchema).min(1).max(100_000) }),
  randomEditsSchema,
]);

type EditsInput = z.input<typeof editsSchema>;

type EditReport = {
  made: number;
  /** Still to come, when they are spread over a time. */
  planned: number;
  events: number;
  /** The first thousand. */
  records: (KeyLine & { action: string })[];
};

/** Throws ZodError; EditError when one cannot be made: those before it are made. */
export type MakeEdits = (input: EditsInput) => EditReport;

const MOST_REPORTED = 1000;

export function createMakeEdits({
  applyEdit,
  life,
  events,
}: {
  applyEdit: ApplyEdit;
  life: Life;
  events: Events;
}): MakeEdits {
  return (input) => {
    const asked = editsSchema.parse(input);
    const before = events.count();
    const made = 'edits' in asked ? asked.edits.map(makeOne) : life.edit(asked);
    return {
      made: made.length,
      planned: life.planned(),
      events: events.count() - before,
      records: made.slice(0, MOST_REPORTED).map(({ record, action }) => ({ ...keyLine(record), action })),
    };
  };

  function makeOne({ raw, fields, ...asked }: z.infer<typeof editSchema>): MadeEdit {
    const parsed = raw === undefined ? fields : parseJson(raw);
    if (parsed !== undefined && !isObject(parsed)) throw new SyntaxError('raw must be a JSON object');
    const changes = parsed === undefined ? undefined : { ...fields, ...parsed };
    return { record: applyEdit({ ...asked, fields: changes }), action: asked.action };
  }
}
