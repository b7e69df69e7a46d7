// Records that are not there yet: what was just created, restored or moved is missing for the first run that looks for it
// in its project, be it in the wrong place there, until that has ended. So no absence that comes of this lasts for two runs.
import type { WorldRecord } from './world-record.ts';

export class Lags {
  /** Who looked first; null: nobody yet. */
  readonly #missing = new Map<WorldRecord, number | null>();
  readonly #runsUnderWay: ReadonlySet<number>;

  constructor(runsUnderWay: ReadonlySet<number>) {
    this.#runsUnderWay = runsUnderWay;
  }

  begin(record: WorldRecord): void {
    this.#missing.set(record, null);
  }

  end(record: WorldRecord): void {
    this.#missing.delete(record);
  }

  endAll(): void {
    this.#missing.clear();
  }

  endRun(run: number): void {
    for (const [record, first] of this.#missing) if (first === run) this.#missing.delete(record);
  }

  /** The run looks for the records that fit. */
  look(run: number, fits: (record: WorldRecord) => boolean): void {
    for (const record of this.#missing.keys()) if (fits(record)) this.isThere(record, run);
  }

  /** Does the run, which looks for the record, see it? */
  isThere(record: WorldRecord, run: number): boolean {
    const first = this.#missing.get(record);
    if (first === undefined) return true;
    if (first !== null) return first !== run;
    if (this.#wouldBeShownByOlder(record, run)) {
      this.end(record);
      return true;
    }
    this.#missing.set(record, run);
    return false;
  }

  /**
   * A child inside its parent makes the parent's content late, too. An older run that then saw it would be the one to
   * lose, and the pause before a fetch is all there is against content that is late.
   */
  #wouldBeShownByOlder({ entry }: WorldRecord, run: number): boolean {
    const isInside = (entry.parent?.embeddedAs ?? null) !== null;
    return isInside && [...this.#runsUnderWay].some((other) => other < run);
  }
}
