// How many records a page is to have: some lists answer 408 or 500 for pages above a size, and some pages are larger than an
// answer may be. The size shrinks then, and grows again as far as it is answered.
import { ProcoreResponseError, ProcoreTooLargeError } from './errors.ts';

export type PageSizes = {
  sawAnswer: (size: number) => void;
  /** The size to try after a page of this one failed; null when another size would not help. */
  afterFailure: (size: number, error: unknown) => number | null;
  /** Is this size a trial, for which one try is enough? */
  isTrial: (size: number) => boolean;
  /** The size for the page that begins after so many records. */
  sizeAt: (offset: number, size: number) => number;
  /** One record was too large, which says nothing of pages without it. */
  forgetFailure: () => void;
};

export type PageSizesOptions = {
  wanted: number;
  /** A size that was answered before. */
  answered: number | null;
  /** Told of a size that was answered after a larger one failed. */
  onSmaller: (size: number) => void;
};

/** Meeting topics answered 500 with 100 records to a page and were fine with 10 (SOURCES: REST behaviour). */
const SURELY_SMALL = 10;

export function createPageSizes({ wanted, answered, onSmaller }: PageSizesOptions): PageSizes {
  let good = answered;
  let bad: number | null = null;
  let failuresInARow = 0;
  return {
    sawAnswer: (size) => {
      if (bad !== null && (failuresInARow > 0 || size !== good)) onSmaller(size);
      good = size;
      failuresInARow = 0;
    },
    afterFailure: (size, error) => {
      const isTooLarge = isSurelyTooLarge(error);
      failuresInARow += 1;
      if (size === 1 || !(isTooLarge || mayBeTooLarge(error))) return null;
      bad = size;
      if (good !== null && good < size) return good;
      return !isTooLarge && size > SURELY_SMALL ? SURELY_SMALL : smaller(size);
    },
    isTrial: (size) => failuresInARow > 0 || (good !== null && size > good),
    sizeAt: (offset, size) => {
      const larger = size * 2;
      const isOpen = bad !== null && larger < bad && larger <= wanted;
      return isOpen && failuresInARow === 0 && offset % larger === 0 ? larger : size;
    },
    forgetFailure: () => {
      bad = wanted + 1;
      failuresInARow = 0;
    },
  };
}

/** Procore says so, or the answer was larger than we take. */
function isSurelyTooLarge(error: unknown): boolean {
  return error instanceof ProcoreTooLargeError || (error instanceof ProcoreResponseError && error.status === 408);
}

function mayBeTooLarge(error: unknown): boolean {
  return error instanceof ProcoreResponseError && [500, 502, 504].includes(error.status);
}

/** A size whose pages begin where those of the larger one do, wherever that is possible. */
function smaller(size: number): number {
  const divisor = [2, 3, 5, 7].find((prime) => size % prime === 0) ?? 2;
  return Math.floor(size / divisor);
}
