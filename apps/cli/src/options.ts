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

const AGO_MS: Record<string, number> = { min: 60_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment as ISO 8601 in UTC: of one (ISO 8601), of how long ago it was (`12h`), or of the last time that clocks in UTC said so (`20:00`). */
export function moment(text: string): string {
  const [, count, unit] = /^(\d{1,6})(min|m|h|d)$/.exec(text) ?? [];
  if (unit !== undefined) return new Date(Date.now() - Number(count) * (AGO_MS[unit] ?? 0)).toISOString();
  if (/^([01]\d|2[0-3]):[0-5]\d$/.test(text)) return lastAt(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('A moment looks like 12h, 20:00, 2026-06-30 or 2026-06-30T12:00:00Z.');
  return new Date(text).toISOString();
}

function lastAt(clock: string): string {
  const today = Date.parse(`${new Date().toISOString().slice(0, 10)}T${clock}:00.000Z`);
  return new Date(today > Date.now() ? today - 86_400_000 : today).toISOString();
}

/** The same, of what is over. */
export function past(text: string): string {
  const iso = moment(text);
  if (Date.parse(iso) > Date.now()) throw new InvalidArgumentError('It lies in the future.');
  return iso;
}
