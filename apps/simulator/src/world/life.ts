// People at work: edits by chance, many at once, spread over a time, or a steady number a minute.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type CataloguedResource, catalogue, parentsOf } from '../catalogue.ts';
import type { Clock } from '../clock.ts';
import { EditError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { Settings } from '../settings.ts';
import { canMove } from './choose-record.ts';
import type { ApplyEdit, Edit } from './edit-world.ts';
import { activeField } from './list-traits.ts';
import type { World, WorldRecord } from './world.ts';

const weight = z.number().min(0);

export const randomEditsSchema = z.strictObject({
  count: z.number().int().min(1).max(1_000_000),
  /** How often each kind is chosen, against the others. */
  kinds: z
    .strictObject({
      create: weight.optional(),
      update: weight.optional(),
      delete: weight.optional(),
      restore: weight.optional(),
      /** Makes a project, person or firm inactive, or active again. */
      deactivate: weight.optional(),
      /** None unless asked for. */
      move: weight.optional(),
    })
    .default({ create: 2, update: 10, delete: 1, restore: 0.3, deactivate: 0.1 }),
  /** Only these; all resources unless said otherwise. */
  resources: z.array(z.string()).optional(),
  companyId: z.string().optional(),
  projectId: z.string().optional(),
  /** Projects that moves stay among; any project unless said otherwise. */
  moveBetween: z.array(z.string()).optional(),
  silent: z.boolean().default(false),
  /** Spread evenly over this time on the simulated clock; at once unless said otherwise. */
  spreadOverMs: z.number().min(0).default(0),
});

type RandomEditsInput = z.input<typeof randomEditsSchema>;
type RandomEdits = z.infer<typeof randomEditsSchema>;
type Kind = keyof RandomEdits['kinds'];

const oneEdit = randomEditsSchema.parse({ count: 1 });

export type MadeEdit = { record: WorldRecord; action: Edit['action'] };

export type Life = {
  /** Makes the edits; those that are spread go on after this returns. */
  edit: (input: RandomEditsInput) => MadeEdit[];
  /** Edits that are still to come. */
  planned: () => number;
  /** Lets people work at the rate of the settings until the signal is aborted. */
  live: (signal: AbortSignal) => Promise<void>;
};

type Options = {
  world: World;
  applyEdit: ApplyEdit;
  clock: Clock;
  random: Random;
  settings: () => Settings;
  signal: AbortSignal;
};

export function createLife({ world, applyEdit, clock, random, settings, signal }: Options): Life {
  let planned = 0;

  return {
    edit: (input) => {
      const asked = randomEditsSchema.parse(input);
      for (const name of asked.resources ?? []) catalogue.get(name);
      if (asked.spreadOverMs === 0) return Array.from({ length: asked.count }, () => editOnce(asked)).flat();
      planned += asked.count;
      void spread(asked);
      return [];
    },
    planned: () => planned,
    live,
  };

  async function spread(asked: RandomEdits): Promise<void> {
    const startedAt = clock.now();
    for (let made = 1; made <= asked.count; made++) {
      const due = startedAt + (made * asked.spreadOverMs) / asked.count;
      if (due > clock.now() && !(await waited(due - clock.now(), signal))) return;
      editOnce(asked);
      planned -= 1;
    }
  }

  async function live(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const { editsPerMinute } = settings();
      // Without a rate, look again soon, in real time: it may be set at any time.
      if (editsPerMinute === 0) await sleep(100, undefined, { signal: until }).catch(() => undefined);
      else if (await waited((60_000 / editsPerMinute) * (0.5 + random.next()), until)) editOnce(oneEdit);
    }
  }

  function waited(ms: number, until: AbortSignal): Promise<boolean> {
    return clock.sleep(ms, until).then(
      () => true,
      () => false,
    );
  }

  /** One edit, or none where twenty tries found nothing that could be edited. */
  function editOnce(asked: RandomEdits): MadeEdit[] {
    for (let tries = 0; tries < 20; tries++) {
      const entry = chooseResource(asked.resources);
      const kind = chooseKind(entry, asked);
      if (kind === null) continue;
      try {
        return [make(entry, kind, asked)];
      } catch (error) {
        if (!(error instanceof EditError)) throw error;
      }
    }
    return [];
  }

  function make(entry: CataloguedResource, kind: Kind, asked: RandomEdits): MadeEdit {
    const { resource } = entry;
    const { companyId, projectId, silent } = asked;
    const common = { resource, companyId, projectId, silent, awkward: random.chance(settings().awkwardShare) };
    if (kind === 'move')
      return { record: applyEdit({ ...common, ...moveOf(entry, asked), action: kind }), action: kind };
    if (kind !== 'deactivate') return { record: applyEdit({ ...common, action: kind }), action: kind };
    const field = activeField(resource) ?? 'is_active';
    const candidates = companyId === undefined ? world.all(resource) : world.within(resource, { companyId });
    if (candidates.length === 0) throw new EditError(`there are no ${resource}`);
    const { id, companyId: of, now } = random.pick(candidates);
    const fields = { [field]: now.fields[field] !== true };
    return { record: applyEdit({ ...common, companyId: of, id, fields, action: 'update' }), action: 'update' };
  }

  /** From which project to which other, where moves are to stay among some. */
  function moveOf(
    entry: CataloguedResource,
    asked: RandomEdits,
  ): Pick<Edit, 'companyId' | 'projectId' | 'toProjectId'> {
    const { moveBetween, companyId, projectId } = asked;
    if (moveBetween === undefined || entry.scope === 'company') return {};
    const among = world.all('Projects').filter(({ id }) => moveBetween.includes(id));
    const sources = among.filter(
      (one) => (companyId ?? one.companyId) === one.companyId && (projectId ?? one.id) === one.id,
    );
    if (sources.length === 0) throw new EditError('no project to move from');
    const from = random.pick(sources);
    const source = { companyId: from.companyId, projectId: from.id };
    if (parentsOf(entry).length > 0) return source;
    const others = among.filter((one) => one.companyId === from.companyId && one !== from);
    if (others.length === 0) throw new EditError('no project to move to');
    return { ...source, toProjectId: random.pick(others).id };
  }

  function chooseResource(names: readonly string[] | undefined): CataloguedResource {
    if (names !== undefined) return catalogue.get(random.pick(names));
    // Where there is more, more happens.
    const weights = catalogue.mirrored.map(
      ({ resource }) => [resource, 1 + Math.sqrt(world.all(resource).length)] as const,
    );
    return catalogue.get(random.weighted(Object.fromEntries(weights)));
  }

  /** A kind that the resource can have and, but for the making of records, that hooks can hear of. */
  function chooseKind(entry: CataloguedResource, { kinds, resources }: RandomEdits): Kind | null {
    const { resource, events } = entry;
    const possible: Record<Kind, boolean> = {
      // Companies start few projects.
      create: events.includes('create') && (resource !== 'Projects' || resources !== undefined || random.chance(0.1)),
      update: events.includes('update'),
      delete: events.includes('delete'),
      restore: events.includes('delete'),
      deactivate: activeField(resource) !== undefined,
      move: canMove(entry) && (events.includes('update') || events.includes('create')),
    };
    const weights = Object.entries(kinds).filter(([kind, share]) => possible[kind as Kind] && (share ?? 0) > 0);
    return weights.length === 0 ? null : random.weighted(Object.fromEntries(weights) as Record<Kind, number>);
  }
}
