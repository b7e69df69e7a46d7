import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inTransaction } from '../connection/transaction.ts';
import { badges, notes, openSampleMirror, people, type SampleMirror } from '../testing/sample-mirror.ts';
import { storeRecords } from './store-records.ts';

describe.each(['postgres18', 'postgres15'] as const)('on %s', (version) => {
  let mirror: SampleMirror;
  let nextId = 1000;
  let nextVersion = 1;
  beforeAll(async () => {
    mirror = await openSampleMirror(version);
  });
  afterAll(() => mirror.close());

  const freshId = () => String(nextId++);
  const freshVersion = () => String(nextVersion++);
  const note = (id: string) => mirror.row(notes, id);
  /** Stores one note with these fields (JSON text each) and returns its row. */
  async function storeNote(fields: Record<string, string>): Promise<Record<string, string | null>> {
    const id = freshId();
    const json = `{"id": ${id}${Object.entries(fields)
      .map(([name, value]) => `, ${JSON.stringify(name)}: ${value}`)
      .join('')}}`;
    await mirror.store({ json, version: freshVersion() });
    const row = await note(id);
    if (row === undefined) throw new Error(`note ${id} was not stored: ${json.slice(0, 200)}`);
    return row;
  }

  test('every typed column takes its value out of the JSON, and the record is kept whole', async () => {
    const row = await storeNote({
      title: '"A \\"quoted\\" title \\u00e9"',
      position: '7',
      amount: '"12.50"',
      official: 'true',
      due_date: '"2026-02-28"',
      updated_at: '"2026-03-01T10:20:30.123456Z"',
      location: '{"id": 5, "name": "Roof"}',
      survey_id: '44',
      unknown_field: '[1, 2]',
    });
    expect(row).toMatchObject({
      company_id: '1',
      project_id: '2',
      survey_id: '44',
      title: 'A "quoted" title é',
      position: '7',
      amount: '12.50',
      official: 'true',
      due_date: '2026-02-28',
      updated_at: '2026-03-01 10:20:30.123456+00',
      location: '{"id": 5, "name": "Roof"}',
      _deleted_at: null,
      _hidden_at: null,
      _event_id: null,
    });
    expect(row._fetched_at).not.toBeNull();
    expect(JSON.parse(row._data ?? '')).toMatchObject({ unknown_field: [1, 2], title: 'A "quoted" title é' });
  });

  test('JSON null and a missing field are NULL, and count as fitting', async () => {
    const json =
      '{"id": 1, "title": null, "position": null, "amount": null, "official": null, "due_date": null, "updated_at": null, "location": null}';
    const { unfit } = await mirror.store({ json, version: freshVersion() });
    expect(unfit).toBe(0);
    const row = await note('1');
    for (const { name } of notes.columns) expect(row?.[name], name).toBeNull();
  });

  describe('values that fit', () => {
    test.each([
      ['position', '9007199254740993', '9007199254740993'],
      ['position', '"9007199254740993"', '9007199254740993'],
      ['position', '-9223372036854775808', '-9223372036854775808'],
      ['amount', '123456789012345678901234567890.123456789', '123456789012345678901234567890.123456789'],
      ['amount', '"0.100000000000000000000000000001"', '0.100000000000000000000000000001'],
      ['amount', '1.50', '1.50'],
      ['amount', '"-1e3"', '-1000'],
      ['amount', '"+1."', '1'],
      ['position', '"007"', '7'],
      ['position', '"-0"', '0'],
      ['position', '50.0', '50'],
      ['position', '"50.0"', '50'],
      ['position', '"50."', '50'],
      ['position', '5e1', '50'],
      ['position', '"5E+1"', '50'],
      ['position', '-50.000', '-50'],
      ['position', '9223372036854775807.0', '9223372036854775807'],
      ['official', '"true"', 'true'],
      ['official', 'false', 'false'],
      ['due_date', '"2024-02-29"', '2024-02-29'],
      ['due_date', '"1815-06-18"', '1815-06-18'],
      ['due_date', '"2026-06-01T00:00:00Z"', '2026-06-01'],
      ['due_date', '"2026-06-01T00:00:00.000Z"', '2026-06-01'],
      ['due_date', '"2026-06-01T00:00Z"', '2026-06-01'],
      ['due_date', '"2026-06-01 00:00:00 UTC"', '2026-06-01'],
      ['due_date', '"2026-06-01T00:00:00+00:00"', '2026-06-01'],
      ['due_date', '"2026-06-01 00:00:00 +0000"', '2026-06-01'],
      ['due_date', '"2026-06-01T00:00:00"', '2026-06-01'],
      ['updated_at', '"2026-03-01T10:20:30"', '2026-03-01 10:20:30+00'],
      ['updated_at', '"2026-03-01T10:20:30.500Z"', '2026-03-01 10:20:30.5+00'],
      ['updated_at', '"2026-03-01T10:20:30.123456789Z"', '2026-03-01 10:20:30.123457+00'],
      ['updated_at', '"2024-02-29T10:20:30Z"', '2024-02-29 10:20:30+00'],
      ['updated_at', '"1815-06-18T10:20:30Z"', '1815-06-18 10:20:30+00'],
      ['updated_at', '"2026-03-01 10:20:30 UTC"', '2026-03-01 10:20:30+00'],
      ['updated_at', '"2026-03-01 10:20:30Z"', '2026-03-01 10:20:30+00'],
      ['updated_at', '"2026-03-01T10:20:30+02:00"', '2026-03-01 08:20:30+00'],
      ['updated_at', '"2026-03-01T10:20:30-0730"', '2026-03-01 17:50:30+00'],
      ['updated_at', '"2026-03-01"', '2026-03-01 00:00:00+00'],
      ['title', '5.10', '5.10'],
      ['title', 'true', 'true'],
      ['title', '{"a": [1]}', '{"a": [1]}'],
      ['title', '""', ''],
      ['location', '"Roof"', '"Roof"'],
      ['location', '[]', '[]'],
    ])('%s takes %s', async (name, value, expected) => {
      expect((await storeNote({ [name]: value }))[name]).toBe(expected);
      const misfit = name === 'official' ? { position: '"none"' } : { official: '"none"' };
      expect((await storeNote({ ...misfit, [name]: value }))[name], 'beside a value that does not fit').toBe(expected);
    });
  });

  describe('values that do not fit become NULL and are counted', () => {
    test.each([
      ['position', '"12.5"'],
      ['position', '12.5'],
      ['position', '50.00000000000000000001'],
      ['position', '"1e-400"'],
      ['position', '9223372036854775808.0'],
      ['position', '"1e131072"'],
      ['position', '"50.0.0"'],
      ['position', '"-"'],
      ['position', '"0x1F"'],
      ['position', '"1_000"'],
      ['position', '" 12"'],
      ['position', '""'],
      ['position', 'true'],
      ['position', '[1]'],
      ['position', '9223372036854775808'],
      ['position', '"99999999999999999999"'],
      ['amount', '"NaN"'],
      ['amount', '"-Infinity"'],
      ['amount', '"Infinity"'],
      ['amount', '"1,000.50"'],
      ['amount', '"1e400000"'],
      ['amount', '{}'],
      ['official', '"yes"'],
      ['official', '1'],
      ['official', '"t"'],
      ['due_date', '"tomorrow"'],
      ['due_date', '"infinity"'],
      ['due_date', '"2026-02-30"'],
      ['due_date', '"03/04/2026"'],
      ['due_date', '"2026-03-01T10:00:00Z"'],
      ['due_date', '"2026-03-01T00:00:01Z"'],
      ['due_date', '"2026-03-01T00:00:00.001Z"'],
      ['due_date', '"2026-03-01T00:00:00-07:00"'],
      ['due_date', '"2026-03-01 00:00:00 MST"'],
      ['due_date', '"2026-02-30T00:00:00Z"'],
      ['due_date', '"20a6-03-01"'],
      ['due_date', '"2026-13-01"'],
      ['due_date', '20260301'],
      ['due_date', '"10000-01-01"'],
      ['due_date', '"0044-03-15 BC"'],
      ['updated_at', '"now"'],
      ['updated_at', '"-infinity"'],
      ['updated_at', '"epoch"'],
      ['updated_at', '"10:30"'],
      ['updated_at', '"2026-03-01T25:00:00Z"'],
      ['updated_at', '"2026-03-01T10:60:00Z"'],
      ['updated_at', '"2026-03-01T10:00:61Z"'],
      ['updated_at', '"2026-02-30T10:00:00Z"'],
      ['updated_at', '"2026-03-01T10:00:00.Z"'],
      ['updated_at', '"2026-03-01T10:00:00 Europe/Paris"'],
      ['updated_at', '1772352000'],
      ['updated_at', '"infinity"'],
      ['updated_at', '"10000-01-01T00:00:00Z"'],
      ['updated_at', '"2026-03-01Z 10:00:00"'],
      ['survey_id', '"none"'],
      ['survey_id', '1.5'],
      ['survey_id', '-4'],
      ['survey_id', '"04"'],
    ])('%s refuses %s', async (name, value) => {
      const before = await unfitCount(name);
      const row = await storeNote({ [name]: value, title: '"kept"' });
      expect(row[name]).toBeNull();
      expect(row.title).toBe('kept');
      expect(JSON.parse(row._data ?? '')[name]).toEqual(JSON.parse(value));
      expect(await unfitCount(name)).toBe(before + 1);
    });

    async function unfitCount(name: string): Promise<number> {
      const { rows } = await mirror.database.pool.query(
        'select count, last_record_id from mirror.unfit_values where resource = $1 and column_name = $2',
        [notes.resource, name],
      );
      return Number(rows[0]?.count ?? 0);
    }
  });

  test('one record with values that do not fit leaves its neighbours as they are', async () => {
    const [a, b, c] = [freshId(), freshId(), freshId()];
    const json = `[{"id": ${a}, "amount": 1.5, "due_date": "2026-01-01"}, {"id": ${b}, "amount": "much", "due_date": "now"}, {"id": ${c}, "amount": "2"}]`;
    expect((await mirror.store({ json, version: freshVersion() })).unfit).toBe(2);
    expect(await note(a)).toMatchObject({ amount: '1.5', due_date: '2026-01-01' });
    expect(await note(b)).toMatchObject({ amount: null, due_date: null });
    expect(await note(c)).toMatchObject({ amount: '2' });
  });

  test('a timestamp without a zone is UTC in any session', async () => {
    const id = freshId();
    await inTransaction(mirror.database, async (client) => {
      await client.query(`set local time zone 'America/Denver'`);
      await storeRecords(client, {
        table: notes,
        companyId: '1',
        projectId: '2',
        version: freshVersion(),
        wrapper: 'none',
        parentId: null,
        only: null,
        json: Buffer.from(`{"id": ${id}, "updated_at": "2026-07-01T00:00:00"}`),
      });
    });
    expect(await note(id)).toMatchObject({ updated_at: '2026-07-01 00:00:00+00' });
  });

  test('ids keep every digit; elements without a fitting id are skipped', async () => {
    const json =
      '[{"id": 9007199254740993}, {"id": "9223372036854775807"}, {"id": 9223372036854775808}, {"id": 1.0}, {"id": "2.00"}, {"id": 1.5}, {"id": -4}, ' +
      '{"id": true}, {"id": null}, {"title": "none"}, {"id": "01KKEZ6PX3AZJ38KKBX6RYEJSW"}, {"id": "007"}, 5, "text", null, [1]]';
    const { records } = await mirror.store({ json, version: freshVersion() });
    expect(records.map(({ id }) => id).sort()).toEqual(['1', '2', '9007199254740993', '9223372036854775807']);
  });

  test.each(['7', '"text"', 'null', '[]', '{}', '{"data": []}'])(
    'an answer without records (%s) stores nothing',
    async (json) => {
      expect(await mirror.store({ json, version: freshVersion() })).toEqual({ records: [], unfit: 0 });
    },
  );

  test('when an id comes twice in an answer the last one counts', async () => {
    const id = freshId();
    const json = `[{"id": ${id}, "title": "first"}, {"id": "${id}", "title": "last", "updated_at": "2026-01-01T00:00:00Z"}]`;
    const { records } = await mirror.store({ json, version: freshVersion() });
    expect(records).toEqual([
      {
        id,
        updatedAt: '2026-01-01T00:00:00Z',
        parentId: null,
        stored: true,
        isWhole: true,
        absentSince: null,
        isNew: true,
        movedFrom: null,
        toReadAgain: false,
      },
    ]);
    expect(await note(id)).toMatchObject({ title: 'last' });
  });

  test('only the records asked for are stored and returned', async () => {
    const [a, b] = [freshId(), freshId()];
    const { records } = await mirror.store({
      json: `[{"id": ${a}}, {"id": ${b}}]`,
      only: [b, '99'],
      version: freshVersion(),
    });
    expect(records.map(({ id }) => id)).toEqual([b]);
    expect(await note(a)).toBeUndefined();
  });

  test('a state of an older or the same fetch does not overwrite a newer one', async () => {
    const id = freshId();
    const stored = async (title: string, fetch: string) => {
      const { records } = await mirror.store({ json: `{"id": ${id}, "title": "${title}"}`, version: fetch });
      return records[0]?.stored;
    };
    expect(await stored('b', '500')).toBe(true);
    expect(await stored('a', '499')).toBe(false);
    expect(await stored('same', '500')).toBe(false);
    expect(await note(id)).toMatchObject({ title: 'b', _version: '500' });
    expect(await stored('c', '501')).toBe(true);
    expect(await note(id)).toMatchObject({ title: 'c', _version: '501' });
  });

  test('a value that is not stored because it is stale is not counted as unfit', async () => {
    const id = freshId();
    await mirror.store({ json: `{"id": ${id}}`, version: '700' });
    expect((await mirror.store({ json: `{"id": ${id}, "amount": "x"}`, version: '600' })).unfit).toBe(0);
  });

  test('children found inside their parents get the id of the parent they are in', async () => {
    const [a, b, c] = [freshId(), freshId(), freshId()];
    const json = `[{"id": 71, "lines": [{"id": ${a}, "title": "a"}, {"id": ${b}}]}, {"id": "72", "lines": [{"id": ${c}}]}, {"id": 73}, {"id": 74, "lines": "none"}]`;
    const { records } = await mirror.store({ json, embedded: { field: 'lines' }, version: freshVersion() });
    expect(new Map(records.map(({ id, parentId }) => [id, parentId]))).toEqual(
      new Map([
        [a, '71'],
        [b, '71'],
        [c, '72'],
      ]),
    );
    expect(await note(a)).toMatchObject({ survey_id: '71', title: 'a' });
    expect(await note(c)).toMatchObject({ survey_id: '72' });
  });

  test('a parent that is known stays known when an answer does not tell it', async () => {
    const id = freshId();
    await mirror.store({ json: `{"id": ${id}}`, parentId: '81', version: freshVersion() });
    const { records } = await mirror.store({ json: `{"id": ${id}}`, version: freshVersion() });
    expect(records[0]).toMatchObject({ parentId: '81', stored: true });
    expect(await note(id)).toMatchObject({ survey_id: '81' });
    await mirror.store({ json: `{"id": ${id}, "survey_id": 82}`, parentId: '83', version: freshVersion() });
    expect(await note(id)).toMatchObject({ survey_id: '83' });
  });

  test('a v2 answer with ids as strings is stored from its wrapper, one record or many', async () => {
    const answer = { table: badges, projectId: null, wrapper: 'data' } as const;
    await mirror.store({
      ...answer,
      json: '{"data": [{"id": "01KKEZ6PX3AZJ38KKBX6RYEJSW", "name": "A"}, {"id": 17, "name": "B"}, {"id": "no good"}]}',
      version: freshVersion(),
    });
    await mirror.store({ ...answer, json: '{"data": {"id": "single", "name": "C"}}', version: freshVersion() });
    const { rows } = await mirror.database.pool.query('select id, name from procore.badges order by name');
    expect(rows).toEqual([
      { id: '01KKEZ6PX3AZJ38KKBX6RYEJSW', name: 'A' },
      { id: '17', name: 'B' },
      { id: 'single', name: 'C' },
    ]);
  });

  test('one id in two projects is two rows where ids repeat, and moves with its record where they do not', async () => {
    for (const projectId of ['21', '22']) {
      await mirror.store({ table: people, projectId, json: '{"id": 5, "name": "Ann"}', version: freshVersion() });
      await mirror.store({ projectId, json: '{"id": 55}', version: freshVersion() });
    }
    const { rows } = await mirror.database.pool.query('select project_id from procore.people where id = 5 order by 1');
    expect(rows).toEqual([{ project_id: '21' }, { project_id: '22' }]);
    expect(await note('55')).toMatchObject({ project_id: '22' });
  });

  test('a project resource without a project is refused', async () => {
    await expect(mirror.store({ json: '[]', projectId: null })).rejects.toThrow(RangeError);
  });

  test('the row names the newest event known, and keeps the name when nothing is pending any more', async () => {
    const id = freshId();
    await mirror.database.pool.query(
      `insert into mirror.pending (company_id, project_id, resource, record_id, event_id, ready_at) values (1, 2, $1, $2, 'EVENT', now())`,
      [notes.resource, id],
    );
    await mirror.store({ json: `{"id": ${id}}`, version: freshVersion() });
    expect(await note(id)).toMatchObject({ _event_id: 'EVENT' });
    await mirror.database.pool.query('delete from mirror.pending');
    await mirror.store({ json: `{"id": ${id}}`, version: freshVersion() });
    expect(await note(id)).toMatchObject({ _event_id: 'EVENT' });
  });

  describe('what jsonb refuses', () => {
    test('NUL and lone surrogates are replaced, also in field names; escaped backslashes and pairs are not touched', async () => {
      const row = await storeNote({
        title: '"a\\u0000b \\ud83d\\ude00 \\\\u0000 \\ud83d! \\\\\\u0000 \\udc00\\ud83d\\ud83d\\ude00"',
        'x\u0000': '1',
      });
      expect(row.title).toBe('a\ufffdb \u{1f600} \\u0000 \ufffd! \\\ufffd \ufffd\ufffd\u{1f600}');
      expect(JSON.parse(row._data ?? '')).toMatchObject({ 'x\ufffd': 1 });
    });

    test('a lone surrogate that is no escape is replaced, too', async () => {
      expect(await storeNote({ title: '"a\ud800b"' })).toMatchObject({ title: 'a\ufffdb' });
    });

    test('a number out of range becomes a string; its neighbours stay numbers', async () => {
      const [a, b] = [freshId(), freshId()];
      const json = `[{"id": ${a}, "amount": 1e400000, "x": [-1e-20000, {"y": 1.5}], "position": 3, "z": "1e400000 \\" 2"}, {"id": ${b}, "amount": 2.50}]`;
      const { unfit } = await mirror.store({ json, version: freshVersion() });
      expect(unfit).toBe(1);
      const row = await note(a);
      expect(row).toMatchObject({ amount: null, position: '3' });
      expect(JSON.parse(row?._data ?? '')).toMatchObject({
        amount: '1e400000',
        x: ['-1e-20000', { y: 1.5 }],
        z: '1e400000 " 2',
      });
      expect(await note(b)).toMatchObject({ amount: '2.50' });
    });

    test.each([
      '1e131071',
      '1e131072',
      '1e-16383',
      '1e-16384',
      '0.1e-16383',
      '12e131071',
      '0e999999',
      '1e-99999999999999999999',
      '1E+400000',
    ])('the record with %s is stored', async (number) => {
      expect(await storeNote({ amount: number, title: '"kept"', other: number })).toMatchObject({ title: 'kept' });
    });

    const shapes = {
      arrays: (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`,
      objects: (depth: number) => `${'{"x":'.repeat(depth)}1${'}'.repeat(depth)}`,
      'elements with ids': (depth: number) => `${'[{"id":1,"x":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`,
      'both, not ended at once': (depth: number) =>
        `${'[{"x":'.repeat(depth / 2)}"]}\\""${',"y":1}]'.repeat(depth / 2)}`,
    };
    const depths = [30, 900, 5000, 50_000];
    describe.each(Object.keys(shapes) as (keyof typeof shapes)[])('%s', (shape) => {
      const deep = shapes[shape];
      test.each(depths)('nested %i deep are stored, and so is their neighbour', async (depth) => {
        const [a, b] = [freshId(), freshId()];
        const { records } = await mirror.store({
          json: `[{"id": ${a}, "deep": ${deep(depth)}, "location": ${deep(depth)}, "title": ${deep(depth)}}, {"id": ${b}, "title": "b"}]`,
          version: freshVersion(),
        });
        expect(records.map(({ stored }) => stored)).toEqual([true, true]);
        expect(await note(b)).toMatchObject({ title: 'b' });
      });

      test.each([100, 15_000, ...depths])(
        'nested %i deep are stored from a list that carries part of the record',
        async (depth) => {
          const [a, b] = [freshId(), freshId()];
          const both = (fields: string) => `[{"id": ${a}, ${fields}, "deep": ${deep(depth)}}, {"id": ${b}, ${fields}}]`;
          await mirror.store({ json: both('"title": "shown", "position": 3'), version: freshVersion() });
          const { records } = await mirror.store({
            json: both('"title": "listed"'),
            isPart: true,
            version: freshVersion(),
          });
          expect(records.map(({ stored }) => stored)).toEqual([true, true]);
          for (const id of [a, b]) expect(await note(id)).toMatchObject({ title: 'listed', position: '3' });
        },
      );

      test.each(depths)('nested %i deep are stored from inside a parent', async (depth) => {
        const [parent, child] = [freshId(), freshId()];
        const json = `{"id": ${parent}, "deep": ${deep(depth)}, "items": [{"id": ${child}, "title": "c", "deep": ${deep(depth)}}]}`;
        await mirror.store({ json, embedded: { field: 'items' }, version: freshVersion() });
        expect(await note(child)).toMatchObject({ title: 'c', survey_id: parent });
      });
    });

    test('of what a list carries in part, detail is kept down to sixty levels', async () => {
      const id = freshId();
      const nested = (levels: number, fields: string) => `${'{"x":'.repeat(levels)}{${fields}}${'}'.repeat(levels)}`;
      const store = (fields: string, isPart: boolean) =>
        mirror.store({
          json: `{"id": ${id}, "near": ${nested(60, fields)}, "far": ${nested(90, fields)}}`,
          isPart,
          version: freshVersion(),
        });
      await store('"a": 1, "b": 1', false);
      await store('"a": 2', true);
      const data = JSON.parse((await note(id))?._data ?? '');
      expect(JSON.stringify(data.near)).toContain('{"a":2,"b":1}');
      expect(JSON.stringify(data.far)).toContain('{"a":2}');
    });
  });

  test('a text of a megabyte is stored', async () => {
    const title = 'x'.repeat(1_000_000);
    expect((await storeNote({ title: `"${title}"` })).title).toBe(title);
  });

  test('a thousand records in one answer are stored by one statement', async () => {
    const json = JSON.stringify(
      Array.from({ length: 1000 }, (_, index) => ({ id: 50_000 + index, title: `n${index}`, amount: '1.25' })),
    );
    const { records } = await mirror.store({ json, version: freshVersion() });
    expect(records.filter(({ stored }) => stored)).toHaveLength(1000);
  });

  test('fetches of the same records that arrive at once all get done, and the newest wins', async () => {
    const ids = Array.from({ length: 200 }, (_, index) => 70_000 + index);
    const versions = Array.from({ length: 8 }, freshVersion);
    const answers = versions.map((fetch, index) => {
      const records = ids.map((id) => ({ id, title: fetch }));
      return { version: fetch, json: JSON.stringify(index % 2 === 0 ? records : records.reverse()) };
    });
    await Promise.all(answers.map((answer) => mirror.store(answer)));
    const { rows } = await mirror.database.pool.query(
      'select distinct title from procore.notes where id between 70000 and 70199',
    );
    expect(rows).toEqual([{ title: versions.at(-1) }]);
  });

  test('what is no JSON is an error, and nothing is stored', async () => {
    await expect(mirror.store({ json: '[{"id": 8888}, {"id":', version: freshVersion() })).rejects.toThrow();
    expect(await note('8888')).toBeUndefined();
  });
});
