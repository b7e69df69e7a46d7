// What `doctor` looked at. Null, or a `problem`, stands for what could not be looked at.
import type { MirrorFacts, RightsFacts, ServerFacts } from '@procore-mirror/database';
import type { Facts } from './facts.ts';
import type { Judged } from './judged.ts';

/** What the settings say, without any value that is secret. */
type SettingFacts = {
  /** How many variables are set. */
  set: number;
  /** What every process refuses, each beginning with the name of its variable. */
  problems: readonly string[];
  /** Variables that are not set, and what takes them. `isNeeded`: by all that is to run. */
  unset: readonly { name: string; what: string; isNeeded: boolean }[];
  /** Variables that look like ours and that nothing reads; `meant`: the one that is like it. */
  unknown: readonly { name: string; meant: string | null }[];
  /** Settings that cannot both be meant. */
  contradictions: readonly { message: string; fix: string; isSure: boolean }[];
  /** Secrets that look wrong, and why. */
  doubtfulSecrets: readonly { name: string; why: string }[];
};

/** A Postgres, by the variable that leads to it. */
export type NamedServer = {
  variable: string;
  /** Without its password. */
  address: string;
  /** Does the mirror live there? Else the queue does, and nothing more. */
  isMirror: boolean;
} & ({ facts: ServerFacts; problem: null } | { facts: null; problem: string });

export type QueueFacts = {
  variable: string;
  address: string;
  isVolatileAllowed: boolean;
  /** Null: it is on a Postgres, which is judged as such, or could not be looked at. */
  redis: {
    versions: readonly string[];
    /** What makes it lose what it acknowledged. */
    problems: readonly string[];
    warnings: readonly string[];
    troubles: readonly string[];
  } | null;
};

type LoginFacts = { trouble: { reason: 'rejected' | 'unreachable'; message: string } | null };

/** What a company said when it was asked who we are. */
export type CompanyFacts = {
  companyId: string;
  /** `not asked`: for the reason in `message`. */
  answer: 'well' | 'refused' | 'unknown' | 'no answer' | 'not asked';
  message: string | null;
};

/** Whether the service account may read what belongs to a tool of Procore in a company or project. */
export type ToolFacts = {
  companyId: string;
  projectId: string | null;
  tool: string;
  /** `in part`: of several lists some; `off`: Procore says so; `unclear`: it answered something else. */
  answer: 'open' | 'in part' | 'refused' | 'not found' | 'off' | 'unclear' | 'not asked';
  /** Those whose lists were not shown. */
  resources: readonly string[];
  message: string | null;
};

/** A hook that was looked at just now. `state` null: it is as it should be. */
export type SeenHook = {
  companyId: string;
  projectId: string | null;
  state: MirrorFacts['hooks'][number]['state'] | null;
  finding: string | null;
};

type HookFacts = {
  seen: readonly SeenHook[];
  /** How many there are to be. */
  scopes: number;
  /** Events that Procore could not deliver, of the hooks that were asked. */
  late: readonly { companyId: string; count: number; oldestAt: string }[];
  /** While several secrets are accepted: which deliveries bear, in words. */
  secret: string | null;
};

export type DiskFacts = {
  /** `the spool (INGEST_SPOOL_DIR)`. */
  what: string;
  path: string;
  /** Why nothing can be written there; null: as far as was looked at it can. */
  problem: string | null;
  freeBytes: number | null;
  totalBytes: number | null;
};

export type DoctorFacts = {
  settings: SettingFacts;
  servers: readonly NamedServer[];
  /** What the database's version lacks; null: it fits. Left out where the database gave no answer. */
  misfit?: string | null;
  /** The environment of Procore that the database belongs to, and the one that is set, where they differ. */
  otherOrigin: { database: string; set: string } | null;
  rights: RightsFacts | null;
  /** Counts that are kept and differ from what is there, and the tables that it would have taken long to count. */
  counts: { miscounts: readonly { resource: string }[]; notCompared: readonly string[] } | null;
  queue: QueueFacts | null;
  /** As `status` asks it. */
  waiting: Facts['queue'] | null;
  login: LoginFacts | null;
  companies: readonly CompanyFacts[];
  tools: readonly ToolFacts[];
  hooks: HookFacts | null;
  /** Deprecated paths, why they are called, and how often in seven days. */
  deprecated: readonly { path: string; resources: readonly string[]; calls: number; lastAt: string | null }[] | null;
  /** How far Procore's clock is ahead of this machine's, ms. */
  procoreAheadMs: number | null;
  disks: readonly DiskFacts[];
  /** Why a part was not looked at, by its name in the table. */
  notLooked: readonly { check: string; why: string }[];
};

/** What was looked at. */
export type Check = {
  check: string;
  state: 'fine' | 'finding' | 'not checked';
  /** What was seen, in a few words. */
  detail: string;
};

/** A finding of `doctor`: of any code. */
export type Found = Omit<Judged, 'code'> & { code: string };

/** A check with what was found by it. */
export type Examined = Omit<Check, 'state'> & { findings: readonly Found[]; isSkipped?: boolean };
