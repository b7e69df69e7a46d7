import { parseWithTextIds } from '@procore-mirror/procore';

export type ListedItem = {
  id: string;
  /** The parent that the item names, in lists whose items do. */
  parentId: string | null;
};

/** Where the records of a listing stand, and where they name their parent; dots lead into objects. */
export type ListingShape = { within?: string | null; namedBy?: string | null };

/** The ids in the text of a listing, v1 (bare) or v2 (in `data`); elements without an id are left out. */
export function readIds(text: string): string[] {
  return readItems(text, {}).map(({ id }) => id);
}

/** The same, with the parents that the items name. */
export function readItems(text: string, { within = null, namedBy = null }: ListingShape): ListedItem[] {
  const parsed = parseWithTextIds(text);
  const elements = asList(Array.isArray(parsed) ? parsed : (field(parsed, 'data') ?? [parsed]));
  const records = within === null ? elements : elements.flatMap((group) => asList(field(group, within)));
  return records.flatMap((record) => {
    const id = field(record, 'id');
    const parentId = namedBy === null ? undefined : namedBy.split('.').reduce(field, record);
    return typeof id === 'string' ? [{ id, parentId: typeof parentId === 'string' ? parentId : null }] : [];
  });
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}
