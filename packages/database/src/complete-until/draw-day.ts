// What happens on a day, drawn by a number: the same number, the same day.
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
const LASTS = 30 * HOUR;

export type Span = { from: number; to: number };

/** Times in ms since the day began. */
export type Day = {
  seed: number;
  isCalm: boolean;
  /** No receiver runs; the network between Procore and us fails; the queue takes nothing, so receivers spool; no worker runs. */
  down: Span[];
  unreachable: Span[];
  spools: Span[];
  idle: Span[];
  /** A receiver with what it has spooled is gone for good. */
  crashAt: number | null;
  /** What somebody does to hooks: of which scope, and how. */
  harms: { at: number; scope: number; how: 'disable' | 'delete' | 'drop trigger' }[];
  /** The app is not connected: nothing is sent or answered, and what was not sent by then is lost. */
  disconnected: Span[];
  /** A resource is not selected, and what workers still hear of it is ignored. */
  deselected: { resource: string; span: Span }[];
  /** Procore shows no delivery log and few records, only lists: news waits for long, and what the queue loses nobody hears of. Else such a day is quiet. */
  sticky: Span[];
  /** A project in which Procore takes no triggers of the first resource. */
  refusing: string | undefined;
  /** Is the next change one that Procore sends no event of? By numbers of its own. */
  isSilent: () => boolean;
  random: () => number;
};

export function drawDay(seed: number): Day {
  const random = mulberry32(seed);
  const silence = mulberry32(seed + 1);
  const isCalm = random() < 0.2;
  const isSticky = !isCalm && mulberry32(seed + 2)() < 0.2;
  const span = (longest: number): Span => {
    const from = 2 * HOUR + random() * 24 * HOUR;
    return { from, to: from + random() ** 2 * longest };
  };
  const some = (share: number, longest: number): Span[] =>
    isCalm ? [] : [1, 2].flatMap(() => (random() < share ? [span(longest)] : []));
  const day: Day = {
    ...{ seed, isCalm },
    down: some(0.3, 16 * HOUR),
    unreachable: some(0.3, 16 * HOUR),
    spools: some(0.3, 8 * HOUR),
    idle: some(0.3, 6 * HOUR),
    crashAt: !isCalm && random() < 0.15 ? random() * 24 * HOUR : null,
    harms: isCalm
      ? []
      : [1, 2, 3].flatMap(() =>
          random() < 0.35
            ? [
                {
                  at: HOUR + random() * 25 * HOUR,
                  scope: Math.floor(random() * 3),
                  how: pickFrom(['disable', 'delete', 'drop trigger'] as const, random),
                },
              ]
            : [],
        ),
    disconnected: some(0.15, 8 * HOUR).map(({ from, to }) => ({ from, to: Math.max(to, from + HOUR) })),
    deselected: some(0.2, 4 * HOUR).map((one) => ({
      resource: pickFrom(['Notes', 'Papers', 'Badges'], random),
      span: one,
    })),
    refusing: !isCalm && random() < 0.15 ? '2' : undefined,
    isSilent: () => !isCalm && silence() < 0.03,
    ...{ sticky: [], random },
  };
  return isSticky ? { ...day, ...QUIET, sticky: [{ from: 4 * HOUR, to: LASTS }] } : day;
}

const QUIET = {
  ...{ down: [], unreachable: [], spools: [], idle: [], crashAt: null, harms: [], disconnected: [], deselected: [] },
  refusing: undefined,
};

export const lastsMs = LASTS;

export const isIn = (spans: readonly Span[], at: number): boolean =>
  spans.some(({ from, to }) => from <= at && at < to);

export function pickFrom<T>(items: readonly [T, ...T[]], random: () => number): T {
  return items[Math.floor(random() * items.length)] ?? items[0];
}

/** https://gist.github.com/tommyettinger/46a874533244883189143505d203312c: numbers by chance, from one number. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
