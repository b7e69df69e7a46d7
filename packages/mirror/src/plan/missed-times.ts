// When deliveries may have been missed, as the receivers' reports tell.

/** ms since 1970. */
export type Span = { sinceMs: number; untilMs: number };
type Own = Span & { id: string };
type Gap = Own & { kind: 'down' | 'refused' | 'spooled' };

/**
 * Times in which a delivery may have been missed, the earliest first: those in which no receiver ran, and those in which one answered 503 or
 * spooled. `runs`: the last run of each receiver, as far as is known; before it, it ran but for its gaps. What lasts until now is left
 * out: it can be told when it is over.
 */
export function missedTimes(receivers: { runs: readonly Own[]; gaps: readonly Gap[]; nowMs: number }): Span[] {
  const { runs, gaps, nowMs } = receivers;
  const up = joined(runs.flatMap((run) => runsOf(run, gaps)));
  const down = up.flatMap(({ untilMs }, place) => {
    const next = up[place + 1];
    return next === undefined ? [] : [{ sinceMs: untilMs, untilMs: next.sinceMs }];
  });
  const refused = gaps.filter(({ kind }) => kind !== 'down').map(({ sinceMs, untilMs }) => ({ sinceMs, untilMs }));
  return joined([...down, ...refused]).filter(({ untilMs }) => untilMs <= nowMs);
}

/** Since when no receiver runs, ms; null: one does, or none ever did. */
export function downSince({ runs, nowMs }: { runs: readonly Own[]; nowMs: number }): number | null {
  if (runs.length === 0) return null;
  const last = Math.max(...runs.map(({ untilMs }) => untilMs));
  return last < nowMs ? last : null;
}

/** Its last run, and those between the gaps in which it was down. When the first one began nobody knows: it counts as a moment. */
function runsOf({ id, ...last }: Own, gaps: readonly Gap[]): Span[] {
  const downs = gaps
    .filter((gap) => gap.id === id && gap.kind === 'down' && gap.sinceMs <= last.sinceMs)
    .toSorted((one, other) => one.sinceMs - other.sinceMs);
  const before = downs.map(({ sinceMs }, place) => ({
    sinceMs: downs[place - 1]?.untilMs ?? sinceMs,
    untilMs: sinceMs,
  }));
  return [...before, last];
}

/** The same times, those that touch as one. */
function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of spans.toSorted((one, other) => one.sinceMs - other.sinceMs)) {
    const last = all.at(-1);
    if (last === undefined || span.sinceMs > last.untilMs) all.push({ ...span });
    else last.untilMs = Math.max(last.untilMs, span.untilMs);
  }
  return all;
}

/** Of one hook, or of several together, ISO 8601: all that happened between these is recorded; and when it was last read what could not be delivered. */
type ReadLogs = { from: string | null; until: string | null; undeliveredReadAt: string | null };

/** Whether what deliveries missed in this time was looked for in Procore's log. */
export function isReadSince({ sinceMs, untilMs }: Span, { from, until, undeliveredReadAt }: ReadLogs): boolean {
  const isCovered = from !== null && until !== null && Date.parse(from) <= sinceMs && Date.parse(until) >= untilMs;
  return isCovered || (undeliveredReadAt !== null && Date.parse(undeliveredReadAt) >= untilMs);
}
