import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inTransaction } from '../connection/transaction.ts';
import { badges, notes, openSampleMirror, type SampleMirror } from '../testing/sample-mirror.ts';
import { markAbsent } from './mark-absent.ts';
import { markAbsentChildren } from './mark-absent-children.ts';

type Row = Record<string, string | null>;

describe.each(['postgres18', 'postgres15'] as const)('what counts as a change, on %s', (version) => {
  let mirror: SampleMirror;
  let nextId = 1000;
  let nextVersion = 1;
  beforeAll(async () => {
    mirror = await openSampleMirror(version);
  });
  afterAll(() => mirror.close());

  const freshVersion = () => String(nextVersion++);
  const rowOf = async (id: string): Promise<Row> => {
    const row = await mirror.row(notes, id);
    if (row === undefined) throw new Error(`note ${id} has no row`);
    return row;
  };
  const store = async (id: string, fields: object, more: { isPart?: boolean; projectId?: string } = {}) => {
    await mirror.store({ json: JSON.stringify({ id: Number(id), ...fields }), version: freshVersion(), ...more });
    return rowOf(id);
  };
  const isChange = (before: Row, after: Row): boolean => {
    const isAt = before._changed_at !== after._changed_at;
    expect(before._changed_version !== after._changed_version, 'time and version of a change go together').toBe(isAt);
    if (isAt) expect(after._changed_version).toBe(after._version);
    return isAt;
  };

  test('a new record is a change, a second reading of the same moves nothing but its number and time', async () => {
    const id = String(nextId++);
    const before = await store(id, { title: 'a', location: { id: 1, name: 'Roof' } });
    expect(before._changed_version).toBe(before._version);
    expect(before._hash).toMatch(/^\\x01[0-9a-f]{30}$/);
    const after = await store(id, { location: { name: 'Roof', id: 1 }, title: 'a' });
    expect(after._version).not.toBe(before._version);
    expect({ ...after, _version: '', _fetched_at: '' }).toEqual({ ...before, _version: '', _fetched_at: '' });
  });

  const storage = 'https://storage.procore.com/api/v5/files/us-east-1/pro-core.com/01KKEZ6PX3AZJ38KKBX6RYEJSW';
  const amazon = 'https://s3.amazonaws.com/pro-core.com/companies/1/01KKEZ6PX3AZJ38KKBX6RYEJSW';
  const signed = (n: number) => `companyId=1&projectId=2&sig=${String(n).repeat(64)}`;
  test.each<[string, unknown, unknown]>([
    ['the signature of a link to the file storage', `${storage}?${signed(1)}`, `${storage}?${signed(2)}`],
    ['a link that gets a query', storage, `${storage}?${signed(2)}`],
    [
      'the storage of another region',
      `${storage}?${signed(1)}`,
      `${storage.replace('storage.', 'storage-eu.')}?${signed(2)}`,
    ],
    ['a host that nobody knows', `https://files.example/a/b?${signed(1)}`, `https://files.example/a/b?${signed(2)}`],
    [
      'a link that Amazon signs',
      `${amazon}?X-Amz-Date=1&X-Amz-Signature=ab`,
      `${amazon}?X-Amz-Date=2&X-Amz-Signature=cd`,
    ],
    ['links in lists', [{ url: `${storage}?${signed(1)}` }, 'x'], [{ url: `${storage}?${signed(2)}` }, 'x']],
    ['permissions', { permissions: { can_edit: true } }, { permissions: { can_edit: false } }],
    ['permissions that were not there', {}, { permissions: ['read'] }],
    ['what the reader may do', { a: [{ current_user_can: [1] }] }, { a: [{ current_user_can: [2], current_user: 7 }] }],
  ])('%s is none', async (_, before, after) => {
    const id = String(nextId++);
    const old = await store(id, { title: 'a', location: before });
    const now = await store(id, { title: 'a', location: after });
    expect(isChange(old, now)).toBe(false);
    expect(JSON.parse(now._data ?? '').location, 'the row has what came last').toEqual(after);
    expect(isChange(now, await store(id, { title: 'b', location: after }))).toBe(true);
  });

  test.each<[string, unknown, unknown]>([
    ['the query of a link that a person typed', 'https://example.com/plan?rev=1', 'https://example.com/plan?rev=2'],
    ['a link to Procore itself', 'https://app.procore.com/1/rfi?tab=1', 'https://app.procore.com/1/rfi?tab=2'],
    ['the path of a link to the file storage', `${storage}?${signed(1)}`, `${storage}X?${signed(1)}`],
    [
      'a host that looks like the storage',
      `https://storage.procore.com.evil.example/a?b=1`,
      `https://storage.procore.com.evil.example/a?b=2`,
    ],
    ['a link in the midst of a text', `see ${storage}?${signed(1)}`, `see ${storage}?${signed(2)}`],
    ['a link in quotes in a text', `see "${storage}?${signed(1)}"`, `see "${storage}?${signed(2)}"`],
    [
      "a signature that is another service's",
      'https://x.blob.example/a?sig=Zm9v%3D',
      'https://x.blob.example/a?sig=YmFy%3D',
    ],
    ['a text about permissions', 'he said "permissions": {"a": 1}', 'he said "permissions": {"a": 2}'],
    ['a null for a missing field', {}, { name: null }],
    ['the order of a list', [1, 2], [2, 1]],
    ['a number and its text', 1, '1'],
    ['two elements of a long list that change alike', list('open'), list('closed')],
    ['a key beside permissions', { permissions: 1, name: 'a' }, { permissions: 1, name: 'b' }],
    ['a text of small and great letters', 'Roof', 'roof'],
  ])('%s is one', async (_, before, after) => {
    const id = String(nextId++);
    expect(isChange(await store(id, { location: before }), await store(id, { location: after }))).toBe(true);
    expect(isChange(await rowOf(id), await store(id, { location: after }))).toBe(false);
  });

  /** Of which the first and the 17th of 32 elements are in this state; each is an object of two fields. */
  function list(state: string): object[] {
    return Array.from({ length: 32 }, (_, index) => ({ id: index, state: index % 16 === 0 ? state : 'open' }));
  }

  test('a list that carries part of a record compares the fields that it carries', async () => {
    const id = String(nextId++);
    const whole = await store(id, { title: 'a', position: 1, amount: '2' });
    const listed = await store(id, { title: 'a' }, { isPart: true });
    expect(isChange(whole, listed)).toBe(false);
    const changed = await store(id, { title: 'b' }, { isPart: true });
    expect(isChange(listed, changed)).toBe(true);
    const shown = await store(id, { title: 'b', position: 1, amount: '2' });
    expect(isChange(changed, shown)).toBe(false);
  });

  test.each([
    ['null', null],
    ['of an older rule', Buffer.from('00ffffffffffffffffffffffffffffff', 'hex')],
    ['of a newer rule', Buffer.from('02ffffffffffffffffffffffffffffff', 'hex')],
  ])('a hash that is %s is made anew without a change, and misses none', async (_, hash) => {
    const id = String(nextId++);
    const forget = () =>
      mirror.database.pool.query(
        'update procore.notes set _hash = $2, _changed_at = null, _changed_version = null where id = $1',
        [id, hash],
      );
    const first = await store(id, { title: 'a' });
    await forget();
    const same = await store(id, { title: 'a' });
    expect(same).toMatchObject({ _changed_at: null, _changed_version: null, _hash: first._hash });
    await forget();
    const other = await store(id, { title: 'b' });
    expect(other._changed_version).toBe(other._version);
  });

  test('hidden, buried and shown again are changes, each once', async () => {
    const id = String(nextId++);
    const absent = async (bury: boolean) => {
      const place = { table: notes, companyId: '1', projectId: '2', version: freshVersion() };
      await inTransaction(mirror.database, (client) =>
        markAbsent(client, { ...place, records: [{ id, parentId: null, bury, hasNews: false }] }),
      );
      return rowOf(id);
    };
    let before = await store(id, { title: 'a' });
    for (const [act, expected] of [
      [() => absent(false), true],
      [() => absent(false), false],
      [() => absent(true), true],
      [() => absent(true), false],
      [() => absent(false), false],
      [() => store(id, { title: 'a' }), true],
      [() => absent(true), true],
      [() => store(id, { title: 'a' }), true],
      [() => store(id, { title: 'a' }), false],
    ] as const) {
      const after = await act();
      expect(isChange(before, after)).toBe(expected);
      before = after;
    }
    const unseen = String(nextId++);
    await inTransaction(mirror.database, (client) =>
      markAbsent(client, {
        ...{ table: notes, companyId: '1', projectId: '2', version: freshVersion() },
        records: [{ id: unseen, parentId: null, bury: true, hasNews: false }],
      }),
    );
    const buried = await rowOf(unseen);
    expect(buried._changed_version).toBe(buried._version);
    expect(buried._hash).toBeNull();
  });

  test.each([true, false])('children that go with their parent change once (buried: %s)', async (bury) => {
    const [parent, id] = [String(nextId++), String(nextId++)];
    const mark = async () => {
      const place = { table: notes, companyId: '1', projectId: '2', version: freshVersion() };
      await inTransaction(mirror.database, (client) =>
        markAbsentChildren(client, { ...place, parentIds: [parent], except: [], bury, noted: null }),
      );
      return rowOf(id);
    };
    const before = await store(id, { survey_id: Number(parent) });
    const gone = await mark();
    expect(isChange(before, gone)).toBe(true);
    expect(isChange(gone, await mark())).toBe(false);
  });

  test('a record that is seen in another project with the same content is a change', async () => {
    const id = String(nextId++);
    const before = await store(id, { title: 'a' });
    const moved = await store(id, { title: 'a' }, { projectId: '3' });
    expect(moved.project_id).toBe('3');
    expect(isChange(before, moved)).toBe(true);
  });

  test.each(['permi\\u0073sions', 'p\\u0065rmissions'])('a key may be written with escapes: %s', async (key) => {
    const id = String(nextId++);
    const storeRaw = (value: number) =>
      mirror.store({ json: `{"id": ${id}, "${key}": ${value}}`, version: freshVersion() });
    await storeRaw(1);
    const before = await rowOf(id);
    await storeRaw(2);
    expect(isChange(before, await rowOf(id))).toBe(false);
  });

  test('a page without what varies and one with it hash the same record alike', async () => {
    const [a, b] = [String(nextId++), String(nextId++)];
    const plain = await store(a, { title: 'é "x" \\ \n', amount: '1.50', location: [{ id: 1 }, null] });
    await mirror.store({
      json: `[${plain._data}, {"id": ${b}, "permissions": 1}]`,
      version: freshVersion(),
    });
    expect((await rowOf(a))._hash).toBe(plain._hash);
  });

  test('neither depth nor size of a record stops its page', async () => {
    const deep = `${'{"a":'.repeat(900)}{"permissions":1}${'}'.repeat(900)}`;
    await mirror.store({
      table: badges,
      projectId: null,
      version: freshVersion(),
      json: `[{"id": "deep", "name": ${deep}}, {"id": "large", "name": {"current_user": "${'x'.repeat(1_000_000)}"}}]`,
    });
    const rows = await Promise.all(['deep', 'large'].map((id) => mirror.row(badges, id)));
    expect(rows.map((row) => row?._hash)).toEqual([expect.stringMatching(/^\\x01/), expect.stringMatching(/^\\x01/)]);
  });
});
