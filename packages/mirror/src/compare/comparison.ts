// A comparison that is under way: what it is to do, and how far it has come. Its place goes to `mirror.comparisons` after each list, so
// whoever goes on after a restart stands where it was, on whatever rung.
import type {
  ComparisonTask,
  Difference,
  Lane,
  Proof,
  Queryable,
  Reading,
  Transaction,
  Trouble,
} from '@procore-mirror/database';
import { inTransaction } from '@procore-mirror/database';
import { z } from 'zod';
import type { ListingOptions } from '../ask/listing-pages.ts';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';

const comparePlace = z.object({
  rules: z.string(),
  /** Taken before the first request. */
  since: z.string(),
  /** The day from which windows of days are counted back. */
  day: z.string(),
  /** The rung that it is on; null: it did all of them. */
  rung: z.enum(['count', 'window', 'bin', 'listing']).nullable(),
  /** The list that was looked at last; null: none was, on this rung. */
  after: z.string().nullable(),
  /** Records that its lists showed, and the first reason why they prove nothing; and those of the rungs below. */
  theirs: z.number(),
  flaw: z.string().nullable(),
  /** How many lists refused or failed, and how many of them just now, one after the other. */
  refused: z.number().default(0),
  inARow: z.number().default(0),
  flaws: z.array(z.string()),
  /** What counts said; null: nothing was counted. */
  counts: z
    .object({
      ...{ ours: z.number(), theirs: z.number().nullable(), outcome: z.enum(['differs', 'not proved']) },
      ...{ newest: z.string().nullable(), isQuiet: z.boolean() },
    })
    .nullable(),
  /** Since and until when, ISO 8601, events may be under way of what seems to differ on this rung; null: nothing was waited for. */
  waits: z.object({ since: z.string(), until: z.string(), times: z.number() }).nullable().default(null),
  /** Did something seem to differ that was news under way? */
  hasMoved: z.boolean(),
  /** From when on the list is asked for changes; null: that was not looked up. */
  base: z.string().nullable(),
  /** The lists of its parents: which was read last, whether all were, and the parents that no row of ours tells of. */
  parents: z
    .object({
      ...{ after: z.string().nullable(), isDone: z.boolean() },
      found: z.array(z.object({ resource: z.string(), id: z.string(), parentId: z.string().nullable() })),
    })
    .default({ after: null, isDone: false, found: [] }),
  /** What is extra because a list of days lacks it, and its show: nobody is told of a deletion, so it is fetched, which settles what became of it. */
  unlisted: z.array(z.string()).default([]),
  /** The last list in which what seemed to be gone was looked for. */
  searched: z.string().nullable().default(null),
  /** The rungs that were done without a flaw. */
  done: z.array(z.enum(['count', 'window', 'bin'])),
});

export type ComparePlace = z.infer<typeof comparePlace>;

/** What a comparison that goes on after a restart stands on. */
export type KeptComparison = {
  /** What was kept, null at the beginning. */
  place: unknown;
  /** Then a list that fails is passed over, and the rest is compared. */
  isLastTry: () => boolean;
  /** Throws ComparisonLostError when somebody else has it by now. */
  keep: (client: Queryable, place: ComparePlace, calls: number) => Promise<void>;
  /** The last step, in one transaction with what follows of the comparison. Throws the same. */
  end: (client: Transaction, compared: Compared) => Promise<void>;
};

export type Compared = Pick<
  Proof,
  'rung' | 'ours' | 'theirs' | 'missing' | 'changed' | 'extra' | 'outcome' | 'detail' | 'calls'
>;

export type CompareOptions = Pick<ComparisonTask, 'rung' | 'repairs' | 'buriesAll'> & {
  /** In which its calls go out. */
  lane: Lane;
  signal: AbortSignal;
  now: Date;
  kept: KeptComparison;
  /** Told of the calls it made now when it ends, in whatever way. */
  onEnd?: (calls: number) => void;
};

export type Comparison = {
  run: BatchRun;
  place: ComparePlace;
  options: CompareOptions;
  /** Told of what refused or failed. True: its whole company does, and is parked by now. */
  isCompanyToBlame: (trouble: Trouble) => Promise<boolean>;
};

/** One list of the resource: of all, of a parent, of some days, a further one, or a bin. */
export type Part = ListingOptions & { name: string };

/** One that a look showed. `updatedAt`: when it was changed, as Procore says. */
export type Seen = Difference & { updatedAt?: string | null };

/** What one look at a list showed. */
export type Found = {
  differences: Seen[];
  ids: ReadonlySet<string>;
  flaw: string | null;
  /** Did it say how many records there are? */
  isCounted: boolean;
  isRefused: boolean;
};

export function firstPlace(rules: string, since: string, { now, rung }: CompareOptions): ComparePlace {
  return {
    ...{ rules, since, day: now.toISOString(), after: null, theirs: 0, flaw: null, flaws: [] },
    ...{ refused: 0, inARow: 0, waits: null },
    ...{ rung: rung === 'listing' ? 'listing' : 'count', counts: null, hasMoved: false, base: null, done: [] },
    ...{ parents: { after: null, isDone: false, found: [] }, searched: null, unlisted: [] },
  };
}

/** Null: there is none, or it cannot be read, or went by other rules. */
export function readComparePlace(kept: unknown, rules: string): ComparePlace | null {
  const { data } = comparePlace.safeParse(kept);
  return data?.rules === rules ? data : null;
}

/** Keeps a new place, in the transaction of `client` or one of its own. */
export async function keepPlace(
  comparison: Comparison,
  change: Partial<ComparePlace>,
  work: (client: Transaction) => Promise<Partial<ComparePlace> | undefined> = async () => undefined,
): Promise<void> {
  const { run, options } = comparison;
  comparison.place = await inTransaction(run.settings.database, async (client) => {
    const place = { ...comparison.place, ...change, ...(await work(client)) };
    await options.kept.keep(client, place, run.counts().calls);
    return place;
  });
}

/** The rows that the comparison speaks of. */
export function readingOf({ run, place }: Pick<Comparison, 'run' | 'place'>): Reading {
  return { ...scopeOf(run, run.entry), table: run.entry.table, since: place.since };
}
