// How many records a page is to have: some lists answer 408 or 500 for pages above a size, and some pages are larger than an
// answer may be. The size shrinks then, and grows again as far as it is answered.
import { ProcoreResponseError, ProcoreTooLargeError, ProcoreUnreachableError } from './errors.ts';

/**
 * A size that was answered. `isSure`: a larger one, twice as large at most, surely fails; `hasFailed`: some larger one did, maybe for
 * another reason.
 */
export type AnsweredSize = { size: number; isSure: boolean; hasFailed: boolean };

export type PageSizes = {
  sawAnswer: (size: number) => void;
  /** The size to try after a page of this one failed; null when another size would not help. */
  afterFailure: (size: number, error: unknown) => number | null;
  /** Is this size a trial, for which one try is enough? */
  isTrial: (size: number) => boolean;
  /** Is it to come soon? Another size did not come in time, and this one was never answered: the list may hang whatever its size. */
  isHurried: (size: number) => boolean;
  /** The size for the page that begins after so many records. */
  sizeAt: (offset: number, size: number) => number;
  /** Was any page answered? */
  hasAnswered: () => boolean;
  /** One record was to blame, which says nothing of pages without it. */
  forgetFailure: () => void;
};

export type PageSizesOptions = {
  /** The largest size to try. */
  wanted: number;
  /** A size that was answered before. */
  answered: number | null;
  onAnswer: (answered: AnsweredSize) => void;
};

/** Meeting topics answered 500 with 100 records to a page and were fine with 10 (docs/procore.md: Pages and Totals). */
const SURELY_SMALL = 10;

export function createPageSizes({ wanted, answered, onAnswer }: PageSizesOptions): PageSizes {
  let good = answered;
  let bad = Number.POSITIVE_INFINITY;
  let failuresInARow = 0;
  let [hasAnswered, hasFailed, isLate] = [false, false, false];
  const failedOnce = new Set<number>();

  /** Whether it is its size that fails, one trial does not tell, unless it ended another one before. */
  function judgeLarger(size: number, error: unknown): void {
    const isKnown = answered !== null && !hasAnswered;
    if (isKnown || failedOnce.has(size) || isSurelyTooLarge(error) || isTimeOut(error)) bad = size;
    failedOnce.add(size);
  }

  return {
    sawAnswer: (size) => {
      good = size;
      failuresInARow = 0;
      hasAnswered = true;
      isLate = false;
      onAnswer({ size, isSure: bad <= size * 2, hasFailed });
    },
    afterFailure: (size, error) => {
      if (size === 1 || !(isAboutSize(error) || (isTimeOut(error) && size > SURELY_SMALL))) return null;
      failuresInARow += 1;
      hasFailed = true;
      isLate = isTimeOut(error);
      if (good !== null && good < size) {
        judgeLarger(size, error);
        return good;
      }
      return !isSurelyTooLarge(error) && size > SURELY_SMALL ? SURELY_SMALL : smaller(size);
    },
    // A record that fails alone is to have as many tries as others.
    isTrial: (size) => (failuresInARow > 0 && !(size === 1 && hasAnswered)) || (good !== null && size > good),
    isHurried: (size) => isLate && size !== good,
    sizeAt: (offset, size) => {
      const larger = Math.min(size * 2, wanted);
      return failuresInARow === 0 && larger > size && larger < bad && offset % larger === 0 ? larger : size;
    },
    hasAnswered: () => hasAnswered,
    forgetFailure: () => {
      bad = Number.POSITIVE_INFINITY;
      failuresInARow = 0;
      failedOnce.clear();
    },
  };
}

/** Does the failure go away with a smaller page, for all that is known? */
export function isAboutSize(error: unknown): boolean {
  return isSurelyTooLarge(error) || (error instanceof ProcoreResponseError && error.meaning === 'failing');
}

/** Was it waited for in vain? A page may be too large for Procore to make in time; whether it is, one small page tells. */
function isTimeOut(error: unknown): boolean {
  return error instanceof ProcoreUnreachableError && error.isTimeOut;
}

/** Procore says so, or the answer was larger than we take. */
function isSurelyTooLarge(error: unknown): boolean {
  return (
    error instanceof ProcoreTooLargeError || (error instanceof ProcoreResponseError && error.meaning === 'too large')
  );
}

/** A size whose pages begin where those of the larger one do, wherever that is possible. */
function smaller(size: number): number {
  const divisor = [2, 3, 5, 7].find((prime) => size % prime === 0) ?? 2;
  return Math.floor(size / divisor);
}
