// What Procore has deprecated (docs/procore.md: Deprecations). No header of an answer tells of it, so what is known stands here.
const DEPRECATED: readonly RegExp[] = [
  /^\/rest\/v1\.0\/todos(\/|$)/,
  /^\/rest\/v1\.0\/standard_cost_code_lists$/,
  /^\/rest\/v1\.0\/webhooks\//,
];

/** Is this path, with or without placeholders, one that Procore will take away? */
export function isDeprecated(path: string): boolean {
  return DEPRECATED.some((pattern) => pattern.test(path));
}
