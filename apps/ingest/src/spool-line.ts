import { hash } from 'node:crypto';
import type { Delivery } from '@procore-mirror/queue';

/** One delivery on one line: checksum, time, body. */
export function toLine({ body, receivedAt }: Delivery): string {
  const content = `${receivedAt.toISOString()} ${body.toString('base64')}`;
  return `${checksum(content)} ${content}\n`;
}

/**
 * Reads what lies in a segment. A last line without its end was cut off by a crash before its delivery was acknowledged, so
 * it counts for nothing; any other line that is not as it was written is damage.
 */
export function fromLines(text: string): { deliveries: Delivery[]; damaged: number } {
  const lines = text.split('\n').slice(0, -1);
  const deliveries = lines.map(fromLine).filter((delivery) => delivery !== null);
  return { deliveries, damaged: lines.length - deliveries.length };
}

function fromLine(line: string): Delivery | null {
  const match = /^([0-9a-f]{16}) ((\S+) (\S*))$/.exec(line);
  if (match === null) return null;
  const [, sum, content = '', receivedAt = '', body = ''] = match;
  if (checksum(content) !== sum) return null;
  return { body: Buffer.from(body, 'base64'), receivedAt: new Date(receivedAt) };
}

function checksum(content: string): string {
  return hash('sha256', content, 'hex').slice(0, 16);
}
