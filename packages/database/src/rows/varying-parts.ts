// What of a record changes by itself and counts as no change is said in `migrate/functions/record_hash.sql`, which looks through each
// record. To look through the bytes of a whole page first costs next to nothing.

/** Part of each of them; a signature is in the query of a link. */
const MARKS = ['permissions', 'current_user', '.procore.com', 'sig=', 'Signature='].map((text) => Buffer.from(text));
/** A letter, a digit or a sign that JSON would not have to escape: any of those marks may be written so. */
const ESCAPED_ASCII = ['2', '3', '4', '5', '6', '7'].map((digit) => Buffer.from(`\\u00${digit}`));

/** Whether the answer may hold parts that change by themselves; false is certain. */
export function mayHoldVaryingParts(json: Buffer): boolean {
  return [...MARKS, ...ESCAPED_ASCII].some((mark) => json.includes(mark));
}
