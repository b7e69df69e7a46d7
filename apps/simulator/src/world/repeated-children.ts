// Which records show their children, and under which key.
import { type CataloguedResource, catalogue, parentsOf } from '../catalogue.ts';

type Repeated = { resource: string; key: string };

/** Keys of those that have endpoints of their own, where it is not `line_items`. */
const keys: Readonly<Record<string, string>> = {
  'RFI Replies': 'questions',
  'RFQ Quotes': 'quotes',
  'RFQ Responses': 'responses',
  'Meeting Categories': 'meeting_categories',
};

const byParent = Map.groupBy(
  catalogue.mirrored.flatMap((child) => {
    const { parent, resource } = child;
    if (parent === null || (parent.embeddedAs === null && !parent.repeatsChild)) return [];
    const key = parent.embeddedAs?.split('.')[0] ?? keys[resource] ?? 'line_items';
    return parentsOf(child).map((of) => ({ of: of.resource, resource, key }));
  }),
  ({ of }) => of,
);

/** The kinds of children that records of this resource show, and the key of each. */
export function repeatedIn({ resource }: CataloguedResource): readonly Repeated[] {
  return byParent.get(resource) ?? [];
}
