// Watches what comes of probes of parked scopes that somebody asked for.
import { type AskedProbe, type ProbeState, readProbes } from '@procore-mirror/database';
import { createShow, type ProgressDisplay, type WatchOptions, type WorkEnd, watchWork } from './watch-work.ts';

const SAY_EVERY_MS = 10_000;
/** A list of projects that failed is asked for again after a minute. */
const PATIENCE_MS = 90_000;

/**
 * Waits until each was probed, or for a minute and a half: workers may have no call left. Throws what Postgres says when it has been out of
 * reach for 30 s.
 */
export async function watchProbes(
  watch: WatchOptions & { asked: readonly AskedProbe[]; display: ProgressDisplay; patienceMs?: number },
): Promise<{ end: WorkEnd; probes: ProbeState[] }> {
  const { database, asked, display, patienceMs = PATIENCE_MS } = watch;
  const show = createShow(display, SAY_EVERY_MS);
  const until = performance.now() + patienceMs;
  // Of the login server each worker asks by itself, when it is due.
  const isAskedFor = ({ reason }: AskedProbe) => reason !== 'no_token';
  const { end, progress } = await watchWork(watch, {
    read: () => readProbes(database.pool, asked),
    parts: (probes) => ({
      all: probes.length,
      over:
        performance.now() >= until
          ? probes.length
          : probes.filter(({ state }, place) => state !== 'open' || !isAskedFor(asked[place] as AskedProbe)).length, // as many, in one order
    }),
    show: (probes) => {
      const over = probes.filter(({ state }) => state !== 'open').length;
      show(`Probes: ${over} of ${probes.length} made`, over === 0 ? '' : String(over));
    },
    atLeast: asked.length,
  });
  return { end, probes: progress };
}
