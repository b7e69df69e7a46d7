/** The database and this version of procore-mirror, or this role, do not fit each other. The message says what to run. */
export class DatabaseVersionError extends Error {
  override name = 'DatabaseVersionError' as const;
}
