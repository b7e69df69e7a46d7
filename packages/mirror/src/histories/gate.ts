/** A place where a run stands still until it is let on. */
export type Gate = {
  /** Resolves when somebody stands here. */
  reached: Promise<void>;
  /** Stands here; resolves when the gate is open. */
  pass: () => Promise<void>;
  open: () => void;
};

export function createGate(): Gate {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  return {
    reached,
    pass: () => {
      reach();
      return opened;
    },
    open,
  };
}
