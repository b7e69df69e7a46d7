import type { Catalogue, CataloguedResource } from '@procore-mirror/catalogue';

/** The resources that fills alone show whole, for their lists carry a part of each record. */
export function provedByFills(
  { mirrored }: Pick<Catalogue, 'mirrored'>,
  isWanted: (entry: CataloguedResource) => boolean = () => true,
): string[] {
  return mirrored
    .filter((entry) => entry.table.provedBy?.compares === false && isWanted(entry))
    .flatMap(({ table }) => table.provedBy?.fills ?? []);
}
