import { hash, timingSafeEqual } from 'node:crypto';
import { fingerprint } from '@procore-mirror/runtime';

/**
 * Procore signs nothing: the value that we set on the hook and that comes back verbatim is the only proof of the sender
 * (docs/procore.md: Deliveries). Several values count while they are rotated. Tells the fingerprint of the one that was
 * sent, or null; takes the same time for any value of the same length.
 */
export function createAuthorization(accepted: readonly string[]): Authorization {
  const known = accepted.map((value) => ({ digest: digest(value), key: fingerprint(value) }));
  const keyOf = (header: string | undefined) => {
    const given = digest(header ?? '');
    // No early way out: how long it takes must not tell which value was nearly right.
    const matching = known.filter((each) => timingSafeEqual(each.digest, given));
    return matching[0]?.key ?? null;
  };
  return { keyOf, keys: known.map(({ key }) => key) };
}

type Authorization = {
  keyOf: (header: string | undefined) => string | null;
  /** The fingerprints of all that is accepted. */
  keys: readonly string[];
};

const LOOK_EVERY_MS = 2_000;

/**
 * The same, of the values as they are now: they are looked up when a delivery comes and every two seconds, and what depends on them is
 * made anew when they changed.
 */
export function followAuthorization(options: {
  accepted: () => readonly string[];
  /** Told that others are accepted now. */
  onChange: () => void;
}): { keyOf: Authorization['keyOf']; keys: () => readonly string[]; close: () => void } {
  let values = options.accepted();
  let known = createAuthorization(values);
  const now = () => {
    const found = options.accepted();
    if (found.join() === values.join()) return known;
    values = found;
    known = createAuthorization(found);
    options.onChange();
    return known;
  };
  const timer = setInterval(now, LOOK_EVERY_MS);
  timer.unref();
  return { keyOf: (header) => now().keyOf(header), keys: () => known.keys, close: () => clearInterval(timer) };
}

function digest(value: string): Buffer {
  return hash('sha256', value, 'buffer');
}
