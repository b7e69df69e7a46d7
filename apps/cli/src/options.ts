import { isNumericId } from '@procore-mirror/procore';
import { InvalidArgumentError } from 'commander';

/** An id of a company or project: digits. */
export function companyOrProjectId(text: string): string {
  if (!isNumericId(text)) throw new InvalidArgumentError('An id is made of digits, without leading zeros.');
  return text;
}

/** How many at most. */
export const limit = (text: string): number => upTo(10_000, text);

/** How many records a sample has. */
export const sampleSize = (text: string): number => upTo(1_000_000, text);

function upTo(most: number, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new InvalidArgumentError(`A whole number from 1 to ${most}.`);
  return value;
}

/** A moment (ISO 8601), as ISO 8601 in UTC. */
export function moment(text: string): string {
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('A moment looks like 2026-06-30 or 2026-06-30T12:00:00Z.');
  return new Date(text).toISOString();
}
