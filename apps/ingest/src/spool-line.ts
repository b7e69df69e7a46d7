import { hash } from 'node:crypto';
import { readLabel, type SealedEnvelope, writeLabel } from '@procore-mirror/queue';

/** One envelope on one line: checksum, time, body, and what else stands on it. */
export function toLine(envelope: SealedEnvelope): string {
  const { body, receivedAt } = envelope;
  const content = `${receivedAt.toISOString()} ${body.toString('base64')} ${writeLabel(envelope)}`;
  return `${checksum(content)} ${content}\n`;
}

/**
 * Reads what lies in a segment, also what an older or a newer version wrote. A last line without its end was cut off by a crash
 * before its envelope was acknowledged, so it counts for nothing; any other line that is not as it was written is damage.
 */
export function fromLines(text: string): { envelopes: SealedEnvelope[]; damaged: number } {
  const lines = text.split('\n').slice(0, -1);
  const envelopes = lines.map(fromLine).filter((envelope) => envelope !== null);
  return { envelopes, damaged: lines.length - envelopes.length };
}

function fromLine(line: string): SealedEnvelope | null {
  const match = /^([0-9a-f]{16}) ((\S+) (\S*)(?: ([^\n]+))?)$/.exec(line);
  if (match === null) return null;
  const [, sum, content = '', receivedAt = '', body = '', label] = match;
  if (checksum(content) !== sum) return null;
  const others = label === undefined ? {} : readLabel(label);
  return { ...others, body: Buffer.from(body, 'base64'), receivedAt: new Date(receivedAt) };
}

function checksum(content: string): string {
  return hash('sha256', content, 'hex').slice(0, 16);
}
