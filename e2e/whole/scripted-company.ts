// A company in a scripted Procore, as its users and ours see it: its records are edited, Procore tells of them, and the
// mirror shows them to SQL.
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { catalogue } from '@procore-mirror/catalogue';
import type { Answer, Asked, Product, ScriptedProcore } from '@procore-mirror/testing';
import { expect } from 'vitest';
import { compareResource, type Difference } from './compare-world.ts';
import { createScriptedWorld, type ScriptedWorld } from './scripted-world.ts';
import { deliver, type Mirror } from './start-mirror.ts';

/** What an event says beyond resource and id. `parent`: the record that v3.0 names with line items. */
type News = {
  kind?: 'create' | 'update' | 'delete';
  project?: string;
  parent?: { resource: string; id: number };
};

export type Row = { id: string; deleted: boolean; hidden: boolean; complete: boolean };

export type Company = Pick<ScriptedWorld, 'put' | 'take'> & {
  id: string;
  /** Ids of two projects that no other company has. */
  projects: readonly [string, string];
  /** Runs whenever Procore is asked about the company, before it decides what to answer. */
  whenAsked: (run: (asked: Asked) => void) => void;
  /** Requests about the company whose address matches. */
  asks: (address?: RegExp) => (asked: Asked) => boolean;
  /** Posts an event to the receiver; of the project where the record is or was, unless the news says where. */
  tell: (resource: string, id: number, news?: News) => Promise<void>;
  /** Rows of the company, by id. */
  rows: (resource: string) => Promise<Row[]>;
  /** Waits until every event that was told is in the log. */
  recorded: () => Promise<void>;
  /** Waits until every event that was told is in the log, and so many records are ready to be fetched. */
  ready: (records: number) => Promise<void>;
  /** Waits until nothing is pending of what was told, in the company or in one project. */
  settled: (project?: string) => Promise<void>;
  /** Waits until Procore was asked since the last event was told, and no fetch is under way, of one resource if it is given. */
  lookedAt: (resource?: string) => Promise<void>;
  /** Waits until nothing is pending; then the rows are to equal what Procore has, all of them complete, and nothing is parked. */
  endsRight: () => Promise<void>;
};

export type Companies = {
  /** A new company, which this mirror is to show. */
  found: (mirror: Mirror<Product>) => Company;
};

const FORMATS = ['v2.0', 'v3.0', 'v4.0'] as const;
const FIRST_COMPANY = 1001;
const COMES_WITHIN_MS = 150_000;
const LOOK_EVERY_MS = 250;

/** Gives the scripted Procore its companies. */
export function scriptCompanies(procore: ScriptedProcore): Companies {
  const answers = new Map<string, (asked: Asked) => Answer>();
  procore.answer = (asked) => answers.get(asked.companyId)?.(asked) ?? { status: 404 };
  return {
    found: (mirror) => {
      const number = FIRST_COMPANY + answers.size;
      const world = createScriptedWorld(String(number));
      const runs: ((asked: Asked) => void)[] = [];
      answers.set(String(number), (asked) => {
        for (const run of runs) run(asked);
        return world.answer(asked);
      });
      return { ...foundCompany(procore, mirror, world, number), whenAsked: (run) => void runs.push(run) };
    },
  };
}

/** Waits until `look` gives what is expected. */
export async function comesTo<T>(look: () => Promise<T> | T, expected: T): Promise<void> {
  const until = Date.now() + COMES_WITHIN_MS;
  for (;;) {
    const seen = await look();
    if (isDeepStrictEqual(seen, expected)) return;
    if (Date.now() > until) expect(seen).toEqual(expected);
    await sleep(LOOK_EVERY_MS);
  }
}

function foundCompany(
  procore: ScriptedProcore,
  mirror: Mirror<Product>,
  world: ScriptedWorld,
  number: number,
): Omit<Company, 'whenAsked'> {
  const id = String(number);
  const projects = [`${id}7`, `${id}8`] as const;
  let told = 0;
  let askedBefore = 0;

  const asks: Company['asks'] = (address) => (asked) =>
    asked.companyId === id && (address?.test(`${asked.path}?${decodeURIComponent(asked.query.toString())}`) ?? true);

  /** Are all events in the log, and this SQL condition true? */
  const isSo = (condition: string) => async (): Promise<boolean> => {
    const { rows } = await mirror.database.pool.query<{ recorded: number; is_so: boolean }>(
      `select (select count(*)::int from mirror.events where company_id = $1) as recorded, ${condition} as is_so`,
      [id],
    );
    return rows[0]?.recorded === told && rows[0].is_so;
  };

  async function tell(resource: string, recordId: number, { kind = 'update', project, parent }: News = {}) {
    told += 1;
    askedBefore = procore.asked.length;
    const projectId = project ?? world.projectOf(resource, recordId) ?? projects[0];
    const event = {
      number: told,
      ulid: `01RR${id.padStart(10, '0')}${String(told).padStart(12, '0')}`,
      occurredAt: nextMoment(),
      companyId: number,
      projectId: catalogue.get(resource).scope === 'project' ? Number(projectId) : null,
      ...{ kind, resource, recordId },
      related: parent === undefined ? [] : [{ id: parent.id, name: parent.resource }],
    };
    const format = parent === undefined ? FORMATS[number % FORMATS.length] : 'v3.0';
    const body = format === 'v4.0' ? version4(event) : earlierVersion(event, format);
    expect(await deliver(mirror.system, JSON.stringify(body))).toBe(204);
  }

  async function rows(resource: string): Promise<Row[]> {
    const { rows: found } = await mirror.database.pool.query<Row>(
      `select id::text as id, _deleted_at is not null as deleted, _hidden_at is not null as hidden, _complete as complete
        from procore.${catalogue.get(resource).table.name} t where company_id = $1 order by t.id`,
      [id],
    );
    return found;
  }

  const settled = (project?: string) => {
    const isIn = project === undefined ? '' : `and project_id = ${Number(project)}`;
    return comesTo(isSo(`not exists (select from mirror.pending where company_id = $1 ${isIn})`), true);
  };

  async function differences(): Promise<Difference[]> {
    const records = world.records();
    const found: Difference[] = [];
    for (const entry of world.resources()) {
      const own = records.filter(({ resource }) => resource === entry.resource);
      found.push(...(await compareResource(mirror.database, entry, own, id)));
      const partial = (await rows(entry.resource)).filter((row) => !row.complete && !row.deleted && !row.hidden);
      found.push(...partial.map((row) => ({ resource: entry.resource, id: row.id, what: 'not complete' })));
    }
    return found;
  }

  return {
    ...{ id, projects, asks, tell, rows, settled },
    put: world.put,
    take: world.take,
    recorded: () => comesTo(isSo('true'), true),
    ready: (records) =>
      comesTo(
        isSo(`(select count(*) from mirror.pending where company_id = $1 and ready_at <= now()) = ${records}`),
        true,
      ),
    lookedAt: async (resource) => {
      const asked = askedBefore;
      await comesTo(() => procore.asked.slice(asked).some(asks()), true);
      const isOf = resource === undefined ? '' : `and resource = '${resource}'`;
      const isUnderWay = `select from mirror.batches where company_id = $1 ${isOf} and lease_until > now()`;
      await comesTo(isSo(`not exists (${isUnderWay})`), true);
    },
    endsRight: async () => {
      await settled();
      expect(await differences()).toEqual([]);
      // A run settles its last record a moment before it says that its scope answers again.
      await comesTo(isSo('not exists (select from mirror.scopes where company_id = $1)'), true);
    },
  };
}

type Told = {
  number: number;
  ulid: string;
  kind: string;
  companyId: number;
  projectId: number | null;
  resource: string;
  recordId: number;
  occurredAt: string;
  related: readonly { id: number; name: string }[];
};

function version4({ ulid, kind, companyId, projectId, resource, recordId, occurredAt }: Told): Record<string, unknown> {
  return {
    id: ulid,
    timestamp: occurredAt,
    reason: kind,
    company_id: String(companyId),
    project_id: String(projectId ?? ''),
    user_id: '1',
    resource_type: resource,
    resource_id: String(recordId),
    payload_version: 'v4.0',
  };
}

function earlierVersion(told: Told, version: string | undefined): Record<string, unknown> {
  return {
    id: told.number,
    ulid: told.ulid,
    timestamp: told.occurredAt,
    metadata: { source_user_id: null, source_project_id: told.projectId, source_company_id: told.companyId },
    user_id: 1,
    company_id: told.companyId,
    project_id: told.projectId,
    api_version: version,
    event_type: told.kind,
    resource_name: told.resource,
    resource_id: told.recordId,
    ...(version === 'v3.0' && { related_resources: told.related }),
  };
}

let last = 0;

/** Procore's events are in order, also those of one millisecond. */
function nextMoment(): string {
  last = Math.max(last + 1, Date.now());
  return new Date(last).toISOString();
}
