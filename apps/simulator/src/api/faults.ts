// Trouble to order: rules that match calls and say what goes wrong with a share of them.
import { z } from 'zod';
import type { Random } from '../random.ts';

const effect = z.strictObject({
  /** Real milliseconds before the answer: fixed, or between two values. */
  latencyMs: z.union([z.number().min(0), z.tuple([z.number().min(0), z.number().min(0)])]).optional(),
  /** Answer this status instead. */
  status: z.number().int().min(400).max(599).optional(),
  /** `Retry-After` of that answer, in seconds. */
  retryAfterSeconds: z.number().int().min(0).optional(),
  /** Body of that answer. */
  body: z.string().optional(),
  /** Answer 200 with JSON that is not what was asked for; a `status` goes before. */
  nonsense: z.boolean().optional(),
  /** Destroy the connection without an answer. */
  reset: z.boolean().optional(),
  /** Cut the answer short: the connection in the middle of it, or the JSON within complete framing. */
  truncate: z.enum(['connection', 'json']).optional(),
  /** Never answer. */
  hang: z.boolean().optional(),
});

/** Which calls, and how many of them. Signing in is met only by rules that name it. */
export const faultSchema = effect.extend({
  resource: z.string().optional(),
  kind: z.enum(['show', 'list', 'bin', 'webhooks', 'login', 'other']).optional(),
  companyId: z.string().optional(),
  projectId: z.string().optional(),
  /** Of the one record that a show is for. */
  recordId: z.string().optional(),
  clientId: z.string().optional(),
  /** Share of the matching calls that meet it. */
  share: z.number().min(0).max(1).default(1),
  /** How often it strikes before it is used up; null: for ever. */
  times: z.number().int().min(1).nullable().default(null),
});

type Fault = z.infer<typeof faultSchema>;
type FaultInput = z.input<typeof faultSchema>;
export type Effect = z.infer<typeof effect>;

/** What a call is, for faults and counters. */
export type CallFacts = {
  /** `bin`: a list of deleted records. */
  kind: 'show' | 'list' | 'bin' | 'webhooks' | 'login' | 'other';
  resource: string | null;
  companyId: string | null;
  projectId: string | null;
  /** The record that a show is for. */
  recordId: string | null;
  clientId: string | null;
};

export type Faults = {
  rules: () => readonly (Fault & { struck: number })[];
  add: (fault: FaultInput) => void;
  clear: () => void;
  /** The faults that strike this call, merged; later rules win. */
  strike: (facts: CallFacts) => Effect;
};

const matched = ['resource', 'kind', 'companyId', 'projectId', 'recordId', 'clientId'] as const;

export function createFaults({ random }: { random: Random }): Faults {
  let rules: (Fault & { struck: number })[] = [];

  return {
    rules: () => rules,
    add: (fault) => {
      rules.push({ ...faultSchema.parse(fault), struck: 0 });
    },
    clear: () => {
      rules = [];
    },
    strike: (facts) => {
      const striking = rules.filter((rule) => strikes(rule, facts));
      for (const rule of striking) rule.struck += 1;
      return Object.assign({}, ...striking);
    },
  };

  function strikes(rule: Fault & { struck: number }, facts: CallFacts): boolean {
    if (rule.times !== null && rule.struck >= rule.times) return false;
    if (facts.kind === 'login' && rule.kind !== 'login') return false;
    if (matched.some((key) => rule[key] !== undefined && rule[key] !== facts[key])) return false;
    return random.chance(rule.share);
  }
}
