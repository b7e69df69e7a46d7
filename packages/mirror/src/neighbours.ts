// What other calls of this process got lately: one answer alone cannot tell whether a record, a resource, a company or
// everything is in trouble.

export type Neighbours = {
  /** A record or a list of the company was answered. */
  answered: (companyId: string) => void;
  /** The company said who we are, which tells of none of its records. */
  companyAnswered: (companyId: string) => void;
  /** These records were not found. Returns how many of the company were not since a call was last answered; counts no further than it must. */
  recordsMissed: (companyId: string, records: readonly string[]) => number;
  /** A resource answers nothing in a company or project. Returns of how many that holds in the company since a call was last answered. */
  resourceFailed: (place: { companyId: string; projectId: string | null; resource: string }) => number;
  /** A call was answered 429. Returns how many times in a row that was so with other calls of the company answered in between. */
  limited: (companyId: string, call: string) => number;
  /** Nothing of the company is answered. Returns of which companies that holds within seconds, since any call was last answered. */
  companyFailed: (companyId: string) => string[];
  /** Nothing of the company was there, of all that was asked for. */
  nothingThere: (companyId: string) => void;
  /** Was that so a moment ago, and nothing answered since? */
  isNothingThere: (companyId: string) => boolean;
  /** Asks a question, unless somebody is asking it already: then theirs is the answer. `ask` fits the question. */
  askTogether: <Answer>(question: string, ask: () => Promise<Answer>) => Promise<Answer>;
};

const MOST_LIMITED = 100;
const WITHIN_SECONDS_MS = 10_000;
const MOMENT_MS = 2_000;
const MOST_COUNTED = 100;

/** Remembers for as long as the process runs; `now` in ms. */
export function createNeighbours(now: () => number = Date.now): Neighbours {
  const missed = new Map<string, Set<string>>();
  const failedResources = new Map<string, Set<string>>();
  const failedCompanies = new Map<string, number>();
  const answers = new Map<string, number>();
  const limitedCalls = new Map<string, { times: number; answersBefore: number }>();
  const nothingThereAt = new Map<string, number>();
  const asking = new Map<string, Promise<unknown>>();
  function companyAnswered(companyId: string): void {
    failedResources.delete(companyId);
    nothingThereAt.delete(companyId);
    failedCompanies.clear();
  }

  return {
    answered: (companyId) => {
      answers.set(companyId, (answers.get(companyId) ?? 0) + 1);
      missed.delete(companyId);
      companyAnswered(companyId);
    },
    companyAnswered,
    recordsMissed: (companyId, records) => {
      const all = missed.get(companyId) ?? new Set();
      missed.set(companyId, all);
      for (const record of records) if (all.size < MOST_COUNTED) all.add(record);
      return all.size;
    },
    resourceFailed: ({ companyId, projectId, resource }) => {
      const failed = failedResources.get(companyId) ?? new Set();
      failedResources.set(companyId, failed.add(`${projectId}/${resource}`));
      return failed.size;
    },
    limited: (companyId, call) => {
      const key = `${companyId}/${call}`;
      const answersBefore = answers.get(companyId) ?? 0;
      const before = limitedCalls.get(key);
      const isAgain = before !== undefined && before.answersBefore < answersBefore;
      const times = isAgain ? before.times + 1 : (before?.times ?? 1);
      limitedCalls.delete(key); // the one that was limited last comes last
      limitedCalls.set(key, { times, answersBefore });
      for (const oldest of limitedCalls.keys()) if (limitedCalls.size > MOST_LIMITED) limitedCalls.delete(oldest);
      return times;
    },
    nothingThere: (companyId) => void nothingThereAt.set(companyId, now()),
    isNothingThere: (companyId) => now() - (nothingThereAt.get(companyId) ?? Number.NEGATIVE_INFINITY) <= MOMENT_MS,
    askTogether: <Answer>(question: string, ask: () => Promise<Answer>) => {
      const underWay = asking.get(question) as Promise<Answer> | undefined; // one question has one kind of answer
      if (underWay !== undefined) return underWay.catch(ask); // whoever asked was stopped
      const own = ask().finally(() => asking.delete(question));
      asking.set(question, own);
      return own;
    },
    companyFailed: (companyId) => {
      failedCompanies.set(companyId, now());
      return [...failedCompanies].filter(([, at]) => now() - at <= WITHIN_SECONDS_MS).map(([id]) => id);
    },
  };
}
