// Numbers that stand in texts written by hand, each behind a mark that no reader of the page sees: `the <!--mirrored-->113 resources`.
import type { Catalogue } from '../packages/catalogue/src/catalogued-resource.ts';

export const countedFiles = ['README.md', 'docs/architecture.md'] as const;

/** The text with the numbers behind its marks as they are now. */
export function writeCounts(text: string, { entries, mirrored }: Pick<Catalogue, 'entries' | 'mirrored'>): string {
  const counts = { named: entries.length, mirrored: mirrored.length, unread: entries.length - mirrored.length };
  return Object.entries(counts).reduce(
    (written, [mark, count]) => written.replaceAll(new RegExp(`(<!--${mark}-->)\\d+`, 'g'), `$1${count}`),
    text,
  );
}
