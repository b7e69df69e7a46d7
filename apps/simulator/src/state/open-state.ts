import { keepAll, type Parts, restoreAll } from './keep-all.ts';
import { readState, type State, unusable } from './state-file.ts';
import { createStateKeeper, type StateKeeper } from './state-keeper.ts';

export type OpenState = Pick<StateKeeper, 'note' | 'close'> & {
  /** What an earlier run left; null at the beginning. */
  kept: State | null;
  /** Makes the parts go on from there. Throws a ConfigError when they cannot. */
  restore: (parts: Parts) => void;
  /** From now on the state of these parts is kept. */
  start: (parts: Parts) => Promise<void>;
};

const inMemory: OpenState = {
  kept: null,
  note: () => {},
  restore: () => {},
  start: async () => {},
  close: async () => {},
};

/** Opens the state in a file, or none. Rejects with a ConfigError when it cannot be used. */
export async function openState(
  file: string | undefined,
  { onError }: { onError: (error: unknown) => void },
): Promise<OpenState> {
  if (file === undefined) return inMemory;
  const kept = await readState(file);
  const { start, ...keeper } = createStateKeeper({ file, onError });
  return {
    ...keeper,
    kept,
    restore: (parts) => {
      if (kept === null) return;
      try {
        restoreAll(parts, kept);
      } catch (cause) {
        throw unusable(file, cause);
      }
    },
    start: (parts) => start(() => keepAll(parts)),
  };
}
