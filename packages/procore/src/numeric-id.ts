const MAX_BIGINT = 2n ** 63n - 1n;

/** A positive bigint as Postgres has them, without leading zeros, so that one id has one spelling. */
export function isNumericId(id: string): boolean {
  return /^[1-9]\d{0,18}$/.test(id) && BigInt(id) <= MAX_BIGINT;
}
