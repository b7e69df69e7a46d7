import { describeError } from './errors.ts';

const DIFFERENT_AT_MOST = 100;

/** Passes each distinct error on at most once per `everyMs`, with the number of those kept back since. */
export function limitWarnings(
  onWarning: (message: string) => void,
  everyMs = 10_000,
  now: () => number = Date.now,
): (error: unknown) => void {
  const said = new Map<string, { at: number; keptBack: number }>();
  return (error) => {
    const message = describeError(error);
    const last = said.get(message);
    if (last !== undefined && now() - last.at < everyMs) {
      last.keptBack += 1;
      return;
    }
    if (said.size >= DIFFERENT_AT_MOST) said.clear();
    said.set(message, { at: now(), keptBack: 0 });
    onWarning(last?.keptBack ? `queue: ${message} (and ${last.keptBack} times before)` : `queue: ${message}`);
  };
}
