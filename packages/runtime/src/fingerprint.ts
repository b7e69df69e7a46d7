import { scryptSync } from 'node:crypto';

/** Fixed, so that every process names a value alike. A change makes all that was named before unknown. */
const SALT = 'procore-mirror: which WEBHOOK_AUTHORIZATION matched';

/**
 * 16 hexadecimal digits that name a secret without telling it: they may be stored and shown. To try a guess costs about 50 ms,
 * and so does each call.
 */
export function fingerprint(secret: string): string {
  return scryptSync(secret, SALT, 8, { N: 2 ** 14, r: 8, p: 1 }).toString('hex');
}
