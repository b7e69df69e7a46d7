// What a body is as a dead letter.
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';

/** The id of the dead letter that a body becomes which nobody can use. */
export function letterIdOf(raw: string): string {
  return createHash('sha256').update(raw).digest('hex').slice(0, 32);
}

/** The body as text, without a byte order mark; one that is no text (or holds NUL, which Postgres' text cannot) as `\\x` and hexadecimal digits. */
export function textOf(body: Buffer): string {
  return isUtf8(body) && !body.includes(0) ? new TextDecoder().decode(body) : `\\x${body.toString('hex')}`;
}

/** The body that a dead letter keeps as text: the bytes as they came, but for a byte order mark. */
export function bodyOf(raw: string): Buffer {
  const bytes = /^\\x(?:[0-9a-f]{2})+$/.test(raw) ? Buffer.from(raw.slice(2), 'hex') : null;
  // A body may be text that looks like this itself.
  return bytes !== null && textOf(bytes) === raw ? bytes : Buffer.from(raw);
}
