// The one thing of the mirror that the simulator shares: what Procore's resources are called and where they live.
import { type CataloguedResource, catalogue, parentsOf as parentsIn } from '@procore-mirror/catalogue';

export { type CataloguedResource, catalogue };

/** The resources whose records this one's belong to, or are listed under. */
export function parentsOf(entry: CataloguedResource): CataloguedResource[] {
  return parentsIn(catalogue, entry);
}

/** The parameter that names such a record. */
export function parentKeyOf({ parent, list }: CataloguedResource): string | undefined {
  return parent?.key ?? list?.under?.key;
}
