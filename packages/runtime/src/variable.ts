import { z } from 'zod';

declare module 'zod' {
  interface GlobalMeta {
    file?: boolean;
    secret?: boolean;
  }
}

/** What the schema of one environment variable says about it beyond its type; given with `.meta({ … })`. */
export type Variable = {
  description: string;
  /** `KEY_FILE` may name a file that holds the value. */
  file: boolean;
  /** The value is never printed. */
  secret: boolean;
};

/** Reads what `.meta()` says about a variable, also through `.optional()`, `.default()` and the like around it. */
export function variableOf(field: z.core.$ZodType): Variable {
  const found: Variable = { description: '', file: false, secret: false };
  for (let current: z.core.$ZodType | undefined = field; current !== undefined; current = within(current)) {
    const meta = z.globalRegistry.get(current);
    if (found.description === '') found.description = meta?.description ?? '';
    found.file ||= meta?.file === true;
    found.secret ||= meta?.secret === true;
  }
  return found;
}

function within(field: z.core.$ZodType): z.core.$ZodType | undefined {
  if (field instanceof z.ZodPipe) return field.def.in;
  if (
    field instanceof z.ZodOptional ||
    field instanceof z.ZodNonOptional ||
    field instanceof z.ZodNullable ||
    field instanceof z.ZodDefault ||
    field instanceof z.ZodPrefault ||
    field instanceof z.ZodReadonly
  ) {
    return field.def.innerType;
  }
  return undefined;
}
