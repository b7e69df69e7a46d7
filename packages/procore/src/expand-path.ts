const PATH_ID = /^[0-9A-Za-z_-]{1,64}$/;

/**
 * Puts ids in the `{placeholders}` of a path template, in path and query alike. Ids come from events, so each must be
 * digits or look like a ULID, else it could lead elsewhere; throws RangeError for others and for a value that is missing.
 */
export function expandPath(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new RangeError(`${template} needs a value for {${name}}`);
    if (!PATH_ID.test(value)) throw new RangeError(`the value for {${name}} of ${template} is no id`);
    return value;
  });
}
