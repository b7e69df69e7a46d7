import { hash, timingSafeEqual } from 'node:crypto';
import { fingerprint } from '@procore-mirror/runtime';

/**
 * Procore signs nothing: the value that we set on the hook and that comes back verbatim is the only proof of the sender
 * (docs/procore.md: Deliveries). Several values count while they are rotated. Tells the fingerprint of the one that was
 * sent, or null; takes the same time for any value of the same length.
 */
export function createAuthorization(accepted: readonly string[]): (header: string | undefined) => string | null {
  const known = accepted.map((value) => ({ digest: digest(value), key: fingerprint(value) }));
  return (header) => {
    const given = digest(header ?? '');
    // No early way out: how long it takes must not tell which value was nearly right.
    const matching = known.filter((each) => timingSafeEqual(each.digest, given));
    return matching[0]?.key ?? null;
  };
}

function digest(value: string): Buffer {
  return hash('sha256', value, 'buffer');
}
