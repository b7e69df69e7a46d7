// Numbers that stand in texts written by hand, each behind a mark that no reader of the page sees: `the <!--mirrored-->113 resources`.
import type { Catalogue } from '../packages/catalogue/src/catalogued-resource.ts';

export const countedFiles = ['README.md', 'docs/architecture.md'] as const;

/** The text with the numbers behind its marks as they are now. */
export function writeCounts(text: string, { resources, unread }: Pick<Catalogue, 'resources' | 'unread'>): string {
  const counts = { named: resources.length + unread.length, mirrored: resources.length, unread: unread.length };
  return Object.entries(counts).reduce(
    (written, [mark, count]) => written.replaceAll(new RegExp(`(<!--${mark}-->)\\d+`, 'g'), `$1${count}`),
    text,
  );
}
