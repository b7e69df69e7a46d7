// The timeline of a week: which record is saved when, and in how many events each save is told. Pure: the same seed and the
// same records to begin with give the same week.
import { type CataloguedResource, catalogue, parentsOf } from '@procore-mirror/catalogue';
import { type Hours, hours, manners, projectSizes, type Work, workload } from './workload.ts';

/** A record is known by its id, one that is made in the week by a name of its own until then. */
type KnownRecord = { resource: string; projectId: string | null; id: string; parentId: string | null };

export type Save = KnownRecord & {
  /** Ms since the beginning of the week. */
  at: number;
  action: 'create' | 'update' | 'delete';
  /** How many events tell of it, each with an id of its own. */
  events: number;
  /** For records that belong to a day: which one, counted back from the day of the save. */
  daysBack: number;
};

export type WeekOptions = {
  seed: number;
  events: number;
  projectIds: readonly string[];
  /** What there is at the beginning. */
  records: readonly KnownRecord[];
  /** How many days of the week, from Monday. */
  days: number;
};

/** Where somebody works, and what was worked on already. */
type Place = { projectId: string | null; parent: KnownRecord | null; touched: Set<string> };
type Sitting = { work: Work; projectId: string | null; at: number };
export type Random = () => number;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WORKING_DAYS = 5;
const GRID_MS = 1000;
/** People mostly work on what they worked on lately. */
const RECENT = { share: 0.6, records: 30 };
const DELETES = 0.015;
const BACKDATED = 0.1;

/** Saves that are told in `events` events all together, in the order of their times. */
export function planWeek(options: WeekOptions): Save[] {
  const expected = workload.reduce((sum, work) => sum + eventsOf(work) * sittingsOf(work, options.days), 0);
  let factor = options.events / expected;
  for (;;) {
    const saves = planWith(options, factor);
    const events = countEvents(saves);
    if (events >= options.events) return withoutSome(saves, events - options.events, chance(options.seed + 1));
    factor *= (options.events / events) * 1.002;
  }
}

function countEvents(saves: readonly Save[]): number {
  return saves.reduce((sum, save) => sum + save.events, 0);
}

function planWith(options: WeekOptions, factor: number): Save[] {
  const random = chance(options.seed);
  const people = createPeople(options.records, random);
  const sittings = sittingsFor(options, factor, random).toSorted((a, b) => a.at - b.at);
  return inPossibleOrder(sittings.flatMap((sitting) => people.sit(sitting)));
}

/** All kinds of sittings, multiplied alike. */
function sittingsFor(options: WeekOptions, factor: number, random: Random): Sitting[] {
  return workload.flatMap((work) => {
    const isOfCompany = catalogue.get(work.resource).scope === 'company';
    const count = wholeNumber(sittingsOf(work, options.days) * factor, random);
    return Array.from({ length: count }, () => ({
      work,
      projectId: isOfCompany ? null : pickProject(options.projectIds, random),
      at: momentIn(hours[work.when], options.days, random),
    }));
  });
}

/** Nobody saves what is not there yet, or not any more. */
function inPossibleOrder(saves: readonly Save[]): Save[] {
  const made = new Map<string, number>();
  const gone = new Map<string, number>();
  const keyOf = ({ resource, projectId, id }: Save): string => `${resource}/${projectId}/${id}`;
  for (const save of saves) {
    if (save.action === 'create') made.set(save.id, save.at);
    if (save.action === 'delete') gone.set(keyOf(save), save.at);
  }
  const earliest = ({ id, parentId, action }: Save): number =>
    Math.max(
      action === 'create' ? 0 : (made.get(id) ?? -GRID_MS) + GRID_MS,
      (made.get(parentId ?? '') ?? -GRID_MS) + GRID_MS,
    );
  for (const save of saves) if (save.action === 'create') made.set(save.id, Math.max(save.at, earliest(save)));
  return saves
    .map((save) => ({ ...save, at: Math.max(save.at, earliest(save)) }))
    .filter((save) => save.action === 'delete' || save.at < (gone.get(keyOf(save)) ?? Number.POSITIVE_INFINITY))
    .toSorted((a, b) => a.at - b.at);
}

/** Some saves are told in fewer events, so that their number is what was asked for. */
function withoutSome(saves: readonly Save[], tooMany: number, random: Random): Save[] {
  const result = [...saves];
  for (let left = tooMany; left > 0; ) {
    const index = Math.floor(random() * result.length);
    const save = result[index];
    if (save === undefined || save.events === 1) continue;
    result[index] = { ...save, events: save.events - 1 };
    left -= 1;
  }
  return result;
}

const mean = ([least, most]: readonly [number, number]): number => (least + most) / 2;

function sittingsOf({ perProjectDay = 0, perWeek = 0 }: Work, days: number): number {
  return (
    perProjectDay * projectSizes.length * Math.min(days, WORKING_DAYS) +
    (perWeek * Math.min(days, WORKING_DAYS)) / WORKING_DAYS
  );
}

/** Events that one sitting comes to, about. */
function eventsOf({ manner, records, perParent = 12, parentSaves = 0 }: Work): number {
  const { saves, eventsPerSave } = manners[manner];
  const perSave = eventsPerSave.reduce((sum, share, index) => sum + share * (index + 1), 0);
  return (
    mean(records) * mean(saves) * perSave + (parentSaves * perSave * mean(records)) / Math.min(perParent, mean(records))
  );
}

function momentIn({ days, hours: parts }: Hours, lastDay: number, random: Random): number {
  const day = pickWeighted(days.slice(0, lastDay), random);
  const [from, to] = parts[
    pickWeighted(
      parts.map(([, , weight]) => weight),
      random,
    )
  ] ?? [9, 17];
  return day * DAY_MS + somewhereIn([from, to], random) * HOUR_MS;
}

function pickProject(projectIds: readonly string[], random: Random): string {
  const sizes = projectIds.map(
    (_, index) => projectSizes[Math.floor((index * projectSizes.length) / projectIds.length)] ?? 1,
  );
  return projectIds[pickWeighted(sizes, random)] ?? '';
}

/** The people, who know which records there are. */
function createPeople(known: readonly KnownRecord[], random: Random): { sit: (sitting: Sitting) => Save[] } {
  const pools = new Map<string, KnownRecord[]>();
  const poolOf = (resource: string, projectId: string | null): KnownRecord[] => {
    const key = `${resource}/${projectId ?? ''}`;
    const pool = pools.get(key) ?? [];
    pools.set(key, pool);
    return pool;
  };
  for (const record of known) poolOf(record.resource, record.projectId).push(record);
  let made = 0;

  function sit({ work, projectId, at: start }: Sitting): Save[] {
    const entry = catalogue.get(work.resource);
    const hasParents = parentsOf(catalogue, entry).length > 0;
    const { perParent = 12 } = work;
    const place: Place = { projectId, parent: null, touched: new Set() };
    const saves: Save[] = [];
    let at = start;
    for (let left = between(work.records, random); left > 0; left -= perParent) {
      place.parent = pickParent(entry, projectId);
      if (place.parent === null && hasParents) return saves;
      for (let index = 0; index < Math.min(left, perParent); index += 1) {
        saves.push(...saveRecord(entry, work, place, at));
        at += somewhereIn(manners[work.manner].apart, random) * 1000;
      }
      if (place.parent !== null) saves.push(...saveParent(place.parent, work, at));
    }
    return saves;
  }

  function pickParent(entry: CataloguedResource, projectId: string | null): KnownRecord | null {
    const kinds = parentsOf(catalogue, entry).filter((kind) => poolOf(kind.resource, projectId).length > 0);
    const kind = kinds[Math.floor(random() * kinds.length)];
    return kind === undefined ? null : pickRecord(poolOf(kind.resource, projectId));
  }

  function pickRecord(pool: readonly KnownRecord[]): KnownRecord | null {
    const from = random() < RECENT.share ? Math.max(0, pool.length - RECENT.records) : 0;
    return pool[from + Math.floor(random() * (pool.length - from))] ?? null;
  }

  /** A new one, or one that there is and that this sitting has not touched yet. */
  function pickOrMake(
    { resource, events }: CataloguedResource,
    { creates, records: [, most] }: Work,
    { projectId, parent, touched }: Place,
  ): { record: KnownRecord; isNew: boolean } | null {
    const parentId = parent?.id ?? null;
    if (events.includes('update') && !(events.includes('create') && random() < creates)) {
      const own = poolOf(resource, projectId).filter((one) => one.parentId === parentId && !touched.has(one.id));
      // A bulk edit goes through all of them; people pick.
      const record = most >= 100 ? own[Math.floor(random() * own.length)] : pickRecord(own);
      if (record != null) return { record, isNew: false };
    }
    if (!events.includes('create')) return null;
    made += 1;
    return { record: { resource, projectId, id: `new-${made}`, parentId }, isNew: true };
  }

  function saveRecord(entry: CataloguedResource, work: Work, place: Place, start: number): Save[] {
    const picked = pickOrMake(entry, work, place);
    if (picked === null) return [];
    const { record, isNew } = picked;
    place.touched.add(record.id);
    const result = saveOften(record, { entry, work, isNew, start });
    if (isNew) poolOf(record.resource, record.projectId).push(record);
    else if (random() < DELETES && canDelete(entry)) result.push(remove(record, (result.at(-1)?.at ?? start) + 60_000));
    return result;
  }

  function saveOften(
    record: KnownRecord,
    { entry, work, isNew, start }: { entry: CataloguedResource; work: Work; isNew: boolean; start: number },
  ): Save[] {
    const { saves, between: seconds, eventsPerSave } = manners[work.manner];
    const canUpdate = entry.events.includes('update');
    const daysBack = random() < BACKDATED ? 1 + Math.floor(random() * 3) : 0;
    let at = start;
    return Array.from({ length: canUpdate ? between(saves, random) : 1 }, (_, index) => {
      const save = {
        ...record,
        at: onGrid(at),
        action: isNew && index === 0 ? ('create' as const) : ('update' as const),
        events: canUpdate ? pickWeighted(eventsPerSave, random) + 1 : 1,
        daysBack,
      };
      at += somewhereIn(seconds, random) * 1000;
      return save;
    });
  }

  function remove(record: KnownRecord, at: number): Save {
    const pool = poolOf(record.resource, record.projectId);
    pool.splice(pool.indexOf(record), 1);
    return { ...record, at: onGrid(at), action: 'delete', events: 1, daysBack: 0 };
  }

  function saveParent(parent: KnownRecord, { manner, parentSaves = 0 }: Work, at: number): Save[] {
    const { eventsPerSave } = manners[manner];
    return Array.from({ length: parentSaves }, (_, index) => ({
      ...parent,
      at: onGrid(at + 5000 * (index + 1)),
      action: 'update',
      events: pickWeighted(eventsPerSave, random) + 1,
      daysBack: 0,
    }));
  }

  return { sit };
}

/** What has children stays: a deleted parent takes them along, and their events are nobody's save. */
function canDelete({ resource, events }: CataloguedResource): boolean {
  const isParent = catalogue.mirrored.some((child) =>
    parentsOf(catalogue, child).some((parent) => parent.resource === resource),
  );
  return events.includes('delete') && !isParent;
}

const onGrid = (at: number): number => Math.ceil(at / GRID_MS) * GRID_MS;

function between([least, most]: readonly [number, number], random: Random): number {
  return least + Math.floor(random() * (most - least + 1));
}

function somewhereIn([least, most]: readonly [number, number], random: Random): number {
  return least + random() * (most - least);
}

function wholeNumber(value: number, random: Random): number {
  return Math.floor(value) + (random() < value % 1 ? 1 : 0);
}

function pickWeighted(weights: readonly number[], random: Random): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return weights.length - 1;
}

/** The same seed gives the same week (mulberry32). */
export function chance(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
