// Fills a company with records, as if people had worked in it for the better part of a year. Nobody is told: there are no events.
import { z } from 'zod';
import { type CataloguedResource, catalogue, parentsOf } from '../catalogue.ts';
import type { Clock } from '../clock.ts';
import type { Ids } from '../ids.ts';
import type { Random } from '../random.ts';
import type { Maker } from './make-record.ts';
import type { World, WorldRecord } from './world.ts';

export const seedSchema = z.strictObject({
  companyId: z
    .string()
    .regex(/^\d{1,19}$/)
    .optional(),
  name: z.string().default('Hilltop Construction'),
  /** How many projects to add. */
  projects: z.number().int().min(0).max(5000).default(3),
  /** Records of each resource: for a company, for each project, or for each parent. Others get the usual number. */
  sizes: z.record(z.string(), z.number().int().min(0).max(200_000)).default({}),
});

export type SeedInput = z.input<typeof seedSchema>;

export type Seed = (input: SeedInput) => { companyId: string; projectIds: string[]; records: number };

const usual: Readonly<Record<string, number>> = {
  'Company Users': 12,
  'Company Vendors': 8,
  'Project Users': 5,
  RFIs: 12,
  'RFI Replies': 1,
  Submittals: 10,
  'Punch Items': 10,
  'Manpower Logs': 12,
  'Drawing Areas': 2,
  Drawings: 6,
  'Work Order Contracts': 3,
  'Prime Contracts': 1,
  // Each of these is asked for contract by contract.
  RFQs: 1,
  'RFQ Quotes': 1,
  'RFQ Responses': 1,
  'Change Order Requests': 1,
  'Contract Payments': 1,
};
const USUAL_IN_COMPANY = 5;
const USUAL_IN_PROJECT = 4;
const USUAL_IN_PARENT = 2;
const noLag = { oldMs: 0, absentMs: 0 };
const WORKED_MS = 330 * 86_400_000;

type Options = { world: World; maker: Maker; ids: Ids; clock: Clock; random: Random };

export function createSeed({ world, maker, ids, clock, random }: Options): Seed {
  return (input) => {
    const { companyId = ids.next(), name, projects, sizes } = seedSchema.parse(input);
    const fresh = !world.companies.has(companyId);
    if (fresh) world.companies.set(companyId, { id: companyId, name, toolsOff: new Set() });
    const made: WorldRecord[] = [];
    for (const entry of catalogue.mirrored) {
      // Company records come with the company, or when asked for; the rest fills the projects that this call adds.
      if (entry.scope === 'company' && !fresh && entry.resource !== 'Projects' && !(entry.resource in sizes)) continue;
      made.push(...fill(entry, companyId, projects, sizes, made));
    }
    const projectIds = made.filter(({ entry }) => entry.resource === 'Projects').map(({ id }) => id);
    return { companyId, projectIds, records: made.length };
  };

  function fill(
    entry: CataloguedResource,
    companyId: string,
    projects: number,
    sizes: Readonly<Record<string, number>>,
    made: readonly WorldRecord[],
  ): WorldRecord[] {
    const { scope } = entry;
    const parentKinds = new Set(parentsOf(entry).map((parent) => parent.resource));
    const asked = sizes[entry.resource] ?? usual[entry.resource];
    const plant = (count: number, place: { projectId: string | null; parent: WorldRecord | null }): WorldRecord[] =>
      Array.from({ length: count }, () =>
        maker.make(entry, { companyId, ...place }, { atMs: clock.now() - random.between(0, WORKED_MS), lag: noLag }),
      ).filter((record) => record !== null);
    if (entry.resource === 'Projects') return plant(projects, { projectId: null, parent: null });
    if (parentKinds.size > 0) {
      const parents = made.filter((record) => parentKinds.has(record.entry.resource));
      return parents.flatMap((record) =>
        plant(asked ?? USUAL_IN_PARENT, { projectId: record.now.projectId, parent: record }),
      );
    }
    if (scope === 'company') return plant(asked ?? USUAL_IN_COMPANY, { projectId: null, parent: null });
    const places = made.filter((record) => record.entry.resource === 'Projects');
    return places.flatMap(({ id }) => plant(asked ?? USUAL_IN_PROJECT, { projectId: id, parent: null }));
  }
}
