/**
 * Of an hour's calls: what looking after hooks, reading Procore's log of deliveries and comparing take, each at most; a quarter together. Of 600 these are 32, 58
 * and 60 whole ones, by which, with 2,000 projects, each hook has its look within three days, the monthly listing of its triggers included, and each log within 36 hours.
 */
export const UPKEEP_SHARES = { hooks: 0.0534, log: 0.0967, proofs: 0.1 } as const;

/** As people read it: `5.3 %`. */
export function upkeepShareInWords(kind: keyof typeof UPKEEP_SHARES): string {
  return `${Number((100 * UPKEEP_SHARES[kind]).toFixed(1))} %`;
}
