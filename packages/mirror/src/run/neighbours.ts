// What other calls of this process got lately: one answer alone cannot tell whether a record, a resource, a company or
// everything is in trouble.
import { abortable } from '@procore-mirror/procore';

export type Neighbours = {
  /** A record or a list was answered there. */
  answered: (place: Place) => void;
  /** The company said who we are, which tells of none of its records. */
  companyAnswered: (companyId: string) => void;
  /**
   * These records (ids) were not found there. Returns how many were not since a call was last answered, of the place or, if that is
   * more, of the company; counts no further than it must.
   */
  recordsMissed: (place: Place, ids: readonly string[]) => number;
  /** A resource answers nothing in a company or project. Returns of how many that holds in the company since a call was last answered. */
  resourceFailed: (place: Place) => number;
  /** A call was answered 429. Returns how often in a row, and how often with other calls of the company answered in between. */
  limited: (companyId: string, call: string) => { inARow: number; besideAnswers: number };
  /** Nothing of the company is answered. Returns of which companies that holds within seconds, since any call was last answered. */
  companyFailed: (companyId: string) => string[];
  /** Nothing of the company was there, of all that was asked for. */
  nothingThere: (companyId: string) => void;
  /** Was that so a moment ago, and nothing answered since? */
  isNothingThere: (companyId: string) => boolean;
  /**
   * Asks a question, unless somebody is asking it already: then theirs is the answer. `ask` fits the question. Rejects as soon as the
   * signal is aborted.
   */
  askTogether: <Answer>(
    question: string,
    ask: () => Promise<Answer>,
    signal?: AbortSignal | undefined,
  ) => Promise<Answer>;
};

type Place = { companyId: string; projectId: string | null; resource: string };

const MOST_LIMITED = 100;
const WITHIN_SECONDS_MS = 10_000;
const MOMENT_MS = 2_000;
const MOST_COUNTED = 100;
const MOST_PLACES = 1000;

/** Remembers for as long as the process runs; `now` in ms. */
export function createNeighbours(now: () => number = Date.now): Neighbours {
  /** By place, and by company. */
  const missed = new Map<string, Set<string>>();
  const failedResources = new Map<string, Set<string>>();
  const failedCompanies = new Map<string, number>();
  const answers = new Map<string, number>();
  const limitedCalls = new Map<string, { inARow: number; besideAnswers: number; answersBefore: number }>();
  const nothingThereAt = new Map<string, number>();
  const asking = new Map<string, Promise<unknown>>();
  function companyAnswered(companyId: string): void {
    failedResources.delete(companyId);
    nothingThereAt.delete(companyId);
    failedCompanies.clear();
  }

  async function askTogether<Answer>(
    question: string,
    ask: () => Promise<Answer>,
    signal?: AbortSignal | undefined,
  ): Promise<Answer> {
    const underWay = asking.get(question) as Promise<Answer> | undefined; // one question has one kind of answer
    if (underWay === undefined) {
      const own = ask().finally(() => asking.delete(question));
      asking.set(question, own);
      return own;
    }
    try {
      return await abortable(underWay, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      return askTogether(question, ask, signal); // whoever asked was stopped
    }
  }

  return {
    answered: (place) => {
      const { companyId } = place;
      answers.set(companyId, (answers.get(companyId) ?? 0) + 1);
      missed.delete(companyId);
      missed.delete(nameOf(place));
      companyAnswered(companyId);
    },
    companyAnswered,
    recordsMissed: (place, ids) => {
      const counts = [place.companyId, nameOf(place)].map((where) => {
        const all = missed.get(where) ?? new Set();
        missed.delete(where); // the one that missed last comes last
        missed.set(where, all);
        for (const id of ids) if (all.size < MOST_COUNTED) all.add(`${nameOf(place)}/${id}`);
        return all.size;
      });
      forgetOldest(missed, MOST_PLACES);
      return Math.max(...counts);
    },
    resourceFailed: (place) => {
      const { companyId } = place;
      const failed = failedResources.get(companyId) ?? new Set();
      failedResources.set(companyId, failed.add(nameOf(place)));
      return failed.size;
    },
    limited: (companyId, call) => {
      const key = `${companyId}/${call}`;
      const answersBefore = answers.get(companyId) ?? 0;
      const before = limitedCalls.get(key);
      const isBesideAnswers = before === undefined || before.answersBefore < answersBefore;
      const inARow = (before?.inARow ?? 0) + 1;
      const besideAnswers = (before?.besideAnswers ?? 0) + (isBesideAnswers ? 1 : 0);
      limitedCalls.delete(key); // the one that was limited last comes last
      limitedCalls.set(key, { inARow, besideAnswers, answersBefore });
      forgetOldest(limitedCalls, MOST_LIMITED);
      return { inARow, besideAnswers };
    },
    nothingThere: (companyId) => void nothingThereAt.set(companyId, now()),
    isNothingThere: (companyId) => now() - (nothingThereAt.get(companyId) ?? Number.NEGATIVE_INFINITY) <= MOMENT_MS,
    askTogether,
    companyFailed: (companyId) => {
      failedCompanies.set(companyId, now());
      return [...failedCompanies].filter(([, at]) => now() - at <= WITHIN_SECONDS_MS).map(([id]) => id);
    },
  };
}

function nameOf({ companyId, projectId, resource }: Place): string {
  return `${companyId}/${projectId}/${resource}`;
}

function forgetOldest(map: Map<string, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}
