// What a history is about: one resource, or a parent and what lives in it, as the catalogue knows them.
import {
  type Catalogue,
  type CataloguedResource,
  type CatalogueEntryInput,
  createCatalogue,
  ourEntries,
} from '@procore-mirror/catalogue';

export type Family = {
  name: string;
  catalogue: Catalogue;
  /** The resource, or the parent and then its children. */
  members: readonly CataloguedResource[];
};

const RFI_REPLIES = 'RFI Replies';

const catalogue = createCatalogue(ourEntries.map(withoutColumns));

/** Where children go with their parent and nobody says so, as with the quotes of an RFQ. */
const catalogueOfSilentReplies = createCatalogue(
  ourEntries
    .map(withoutColumns)
    .map((entry) => (entry.resource === RFI_REPLIES ? { ...entry, events: ['create', 'update'] } : entry)),
);

export const families: readonly Family[] = [
  familyOf('RFIs'), // a thin list, and a show
  familyOf('Locations'), // a whole list that takes ids, and a show
  familyOf('Change Order Change Reasons'), // of the company; nothing but a list, in `data`
  familyOf('Notes Logs'), // listed by their days
  familyOf('Drawing Areas'), // nothing but a list, which takes ids
  familyOf('RFIs', RFI_REPLIES), // listed by their parent, which repeats them
  silentReplies(),
  familyOf('Change Events', 'Change Event Line Items'), // inside their parent, in its list, too
  familyOf('Purchase Order Contracts', 'Purchase Order Contract Line Items'), // v3.0 names their parent
  familyOf('Purchase Order Contracts', 'Potential Change Orders'), // one list of the project, which names the parent
  familyOf('Specification Section Divisions', 'Specification Section Revisions'), // listed under them, and no row says under which
  familyOf('Purchase Order Contracts', 'RFQs', 'RFQ Quotes'), // grandchildren, which send no delete
  familyOf('Standard Cost Code Lists', 'Standard Cost Codes'), // of the company; the parents tell of their creation only
];

export function familyNamed(name: string): Family {
  const found = families.find((family) => family.name === name);
  if (found === undefined) throw new Error(`there is no family "${name}"`);
  return found;
}

function familyOf(...names: readonly string[]): Family {
  return { name: names.join(' + '), catalogue, members: names.map(catalogue.get) };
}

function silentReplies(): Family {
  const members = ['RFIs', RFI_REPLIES].map(catalogueOfSilentReplies.get);
  return { name: 'RFIs + RFI Replies that send no delete', catalogue: catalogueOfSilentReplies, members };
}

/** All that is told apart here is in `_data`, but for the day of a log, and statements of few columns are quicker. */
function withoutColumns(entry: CatalogueEntryInput): CatalogueEntryInput {
  return { ...entry, columns: entry.list?.todayOnly ? [{ name: 'date', type: 'date' }] : [] };
}
