// Every resource that can be read: an edit in Procore arrives in its row, and nothing has to be known before.
import { type CataloguedResource, catalogue } from '@procore-mirror/catalogue';
import { asJsonb } from '@procore-mirror/database';
import { fetchBatch, recordDelivery } from '@procore-mirror/mirror';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connect } from './mirror-company.ts';
import { aBody, type Mirror, startMirror } from './start-mirror.ts';

type Edited = { resource: string; companyId: string; projectId: string | null; parentId: string | null; id: string };

let mirror: Mirror;
let connection: Connection;

beforeAll(async () => {
  mirror = await startMirror('postgres', {
    projects: 1,
    simulator: { callsPerHour: 1_000_000, callsPerTenSeconds: 100_000 },
  });
  connection = connect(mirror.database, mirror.system);
});
afterAll(async () => {
  await connection.close();
  await mirror.close();
});

async function hear({ resource, companyId, projectId, id }: Edited): Promise<void> {
  const change = { company_id: companyId, project_id: projectId ?? '', resource_type: resource, resource_id: id };
  const delivery = { body: Buffer.from(aBody(change)), receivedAt: new Date() };
  const selection = { companyIds: null, resources: null };
  expect(await recordDelivery({ ...connection.settings, selection }, delivery)).toMatchObject({ outcome: 'pending' });
}

async function rowIs(entry: CataloguedResource, edited: Edited): Promise<Record<string, unknown>> {
  const { table, parent } = entry;
  const [record] = await mirror.system.controlLines<{ text: string }>(
    `/control/world?resource=${encodeURIComponent(entry.resource)}&id=${edited.id}`,
  );
  const { rows } = await mirror.database.pool.query(
    `select _data = $3::jsonb as same, _deleted_at is null and _hidden_at is null as live,
        ${parent === null ? 'null' : `"${parent.key}"::text`} as parent
      from procore.${table.name} where company_id = $1 and id = $2`,
    [edited.companyId, edited.id, asJsonb(record?.text ?? 'null')],
  );
  return rows[0];
}

test.each(catalogue.mirrored.map((entry) => [entry.resource, entry] as const))(
  'an edit of %s arrives in its row',
  async (resource, entry) => {
    const { records } = await mirror.system.control<{ records: [Edited] }>('POST', '/control/edits', {
      edits: [{ resource, action: 'update' }],
    });
    const [edited] = records;
    await hear(edited);
    const batch = { companyId: edited.companyId, projectId: edited.projectId, resource, lane: 'live' } as const;
    const report = await fetchBatch(connection.settings, batch, AbortSignal.timeout(30_000));
    expect(report).toMatchObject({ outcome: 'done', absent: 0, error: null });
    const parent = entry.parent === null ? null : edited.parentId;
    expect(await rowIs(entry, edited)).toEqual({ same: true, live: true, parent });
  },
);
