import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulator, type TestClient } from '../test-client.ts';

let client: TestClient;
beforeAll(async () => {
  client = await startSimulator();
});
afterAll(() => client.close());

const control = () => client.simulator.control;
const tools = (query = '') => client.get(`/rest/v1.0/projects/${client.projectId}/tools${query}`);
const counts = (query: string) => client.get(`/rest/v1.1/projects/${client.projectId}/daily_logs/counts${query}`);

async function isActive(title: string): Promise<unknown> {
  const { json } = await tools();
  return (json as { title: string; is_active: boolean }[]).find((tool) => tool.title === title)?.is_active;
}

describe('the tools of a project', () => {
  test('are listed with what each is called, and whether it is on', async () => {
    const { status, json } = await tools();
    expect(status).toBe(200);
    expect(json).toContainEqual({
      ...{ id: expect.any(Number), engine_name: 'punch_list', title: 'Punch List' },
      ...{ is_active: true, required: false, position: expect.any(Number) },
    });
  });

  test('that are off say so, in this project or in the whole company', async () => {
    control().changeProject(client.projectId, { toolsOff: ['RFIs'] });
    expect(await isActive('RFIs')).toBe(false);
    expect(await isActive('Submittals')).toBe(true);
    expect((await tools('?filters[is_active]=false')).json).toHaveLength(1);
    control().changeProject(client.projectId, { toolsOff: [] });
    expect(await isActive('RFIs')).toBe(true);
  });

  test('of a project that is not there, or not permitted, are not told', async () => {
    expect((await client.get('/rest/v1.0/projects/1/tools')).status).toBe(404);
    control().changeProject(client.projectId, { permitted: false });
    expect((await tools()).status).toBe(403);
    control().changeProject(client.projectId, { permitted: true });
  });
});

describe('counts of daily logs', () => {
  const year = '?start_date=2000-01-01&end_date=2100-01-01';
  const log = (status: string, date: string) => {
    const edit = { resource: 'Manpower Logs', action: 'create' as const, projectId: client.projectId };
    control().edit({ edits: [{ ...edit, fields: { status, date } }] });
  };
  const manpower = async (query: string) => {
    const { json } = await counts(query);
    return (json as { module_name: string; count: number }[]).find(({ module_name }) => module_name === 'manpower_log');
  };

  test('are of the days that are asked for, approved or not as asked for', async () => {
    log('approved', '1999-12-30');
    log('pending', '1999-12-31');
    const days = '?start_date=1999-12-01&end_date=1999-12-31';
    expect(await manpower(days)).toMatchObject({ count: 1 });
    expect(await manpower(`${days}&filters[status]=all`)).toMatchObject({ count: 2 });
    expect(await manpower('?start_date=1999-12-31&end_date=1999-12-31&filters[status]=all')).toMatchObject({
      count: 1,
    });
  });

  test('are of approved ones for who is no Admin, whatever is asked for', async () => {
    control().change({ isDailyLogAdmin: false });
    const days = '?start_date=1999-12-01&end_date=1999-12-31&filters[status]=all';
    expect(await manpower(days)).toMatchObject({ count: 1 });
    control().change({ isDailyLogAdmin: true });
  });

  test('are refused where the Daily Log is off', async () => {
    control().changeProject(client.projectId, { toolsOff: ['Daily Log'] });
    expect((await counts(year)).status).toBe(403);
    control().changeProject(client.projectId, { toolsOff: [] });
  });
});
