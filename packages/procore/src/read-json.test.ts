import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseWithTextIds } from './lossless-json.ts';
import { readJson } from './read-json.ts';

const read = (text: string, ...wanted: string[]) => readJson(Buffer.from(text), new Set(wanted));

/** What readJson promises, made from the whole tree. */
function pruned(value: unknown, wanted: readonly string[], level = 0): unknown {
  if (Array.isArray(value)) return value.map((element) => pruned(element, wanted, level + 1));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([name]) => level === 0 || wanted.includes(name));
  return Object.fromEntries(
    fields.map(([name, inside]) => [name, wanted.includes(name) ? pruned(inside, wanted, level + 1) : undefined]),
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isRead(text: string): boolean {
  try {
    read(text, 'a', 'id');
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return false;
  }
}

describe('what is kept', () => {
  test('is the wanted fields of each object, at every place, and no others', () => {
    const text = '[{"id": 1, "b": {"id": 2}, "a": [{"id": "x", "c": 3}]}, {"c": null}, 7, "text", [true]]';
    expect(read(text, 'id', 'a')).toEqual([{ id: '1', a: [{ id: 'x' }] }, {}, '7', 'text', [true]]);
  });

  test('is of the outermost object every name, in the order of JSON.parse', () => {
    const text = '{"z": [1], "id": 1, "2": 0, "1": {}, "__proto__": {}, "z": 2}';
    expect(Object.keys(Object(read(text, 'id')))).toEqual(Object.keys(JSON.parse(text)));
    expect(read(text, 'id')).toMatchObject({ id: '1', z: undefined });
  });

  test.each([
    ['{"id": 9007199254740993}', '9007199254740993'],
    ['{"id": -1}', -1],
    ['{"id": 1.50}', 1.5],
    ['{"id": 1e3}', 1000],
    ['{"id": "r\\u00e9\\n"}', 'ré\n'],
    ['{"id": "ré"}', 'ré'],
    ['{"i\\u0064": "1"}', '1'],
    ['{"id": 1, "id": 2}', '2'],
    ['{"id": {"id": 3}}', { id: '3' }],
    ['{"id": null}', null],
  ])('%s', (text, id) => {
    expect(read(text, 'id')).toEqual({ id });
  });

  test('ends some levels down, and no depth is too much', () => {
    const depth = 200_000;
    expect(read('['.repeat(depth) + ']'.repeat(depth))).toHaveLength(1);
    expect(read(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`, 'a')).toHaveProperty('a.a.a');
    expect(() => read('['.repeat(depth))).toThrow(SyntaxError);
    expect(() => read('['.repeat(depth) + ']'.repeat(depth - 1))).toThrow(SyntaxError);
  });

  test('is what JSON.parse makes of the text, less the other fields', () => {
    const name = fc.constantFrom('id', 'a', 'b', 'é', '');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(fc.jsonValue({ maxDepth: 0 }), fc.bigInt(0n, 2n ** 70n).map(Number), fc.string({ unit: 'binary' })),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(name, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.subarray(['id', 'a', 'é']), fc.constantFrom(0, 1, '\t'), (value, wanted, space) => {
        const text = JSON.stringify(value, null, space).toWellFormed();
        expect(read(text, ...wanted)).toEqual(pruned(parseWithTextIds(text), wanted));
      }),
    );
  });
});

describe('what is JSON', () => {
  test.each([
    ...[
      '',
      ' ',
      '{',
      '[',
      '"',
      '{}',
      '[]',
      ' [ ] ',
      '{ }',
      '[1,]',
      '[,1]',
      '[1 2]',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{,}',
    ],
    ...[
      '{a:1}',
      "{'a':1}",
      '{"a":1 "b":2}',
      '{"a" : 1 , "b" : [ ] }',
      '[1]]',
      '[1}',
      '{"a":1]',
      '{} {}',
      'null',
      'nul',
    ],
    ...[
      'nulll',
      'true',
      'tru',
      'True',
      'false',
      'undefined',
      'NaN',
      'Infinity',
      '-',
      '-1',
      '+1',
      '01',
      '-0',
      '-01',
      '1.',
    ],
    ...[
      '.5',
      '1.5',
      '1.e1',
      '1e',
      '1e+',
      '1e+5',
      '1E-05',
      '1e5.5',
      '0x10',
      '1_000',
      '"a',
      '"a"',
      '"\\"',
      '"\\\\"',
      '"\\x"',
    ],
    ...[
      '"\\u12"',
      '"\\u12G4"',
      '"\\uD800"',
      '"\\u0000"',
      '"\t"',
      '"\n"',
      '"\u007f"',
      '"\u2028"',
      '"\u0000"',
      '\u00a0[]',
    ],
    ...[
      '\ufeff[]',
      '\u2028[]',
      '\f[]',
      '[]\r\n\t',
      '<html></html>',
      '{"a":"b\\',
      '{"a":"b\\u',
      '[[[1,2],[3]],{"a":[{}]}]',
    ],
    ...['{"id":[1,{"b":2}],"c":{"d":[[],{}]}}', '{"c":{"d":[[],{},]}}', '{"c":{"d" [1]}}', '{"c":{1:2}}', '{"c":[1}]}'],
  ])('%j is what JSON.parse says it is', (text) => {
    expect(isRead(text)).toBe(isJson(text));
  });

  test('is told as JSON.parse tells it, however a text was broken', () => {
    const pieces = fc.array(
      fc.constantFrom(
        ...'{}[],:"\\',
        '"a"',
        '"id"',
        '"b"',
        '"\\u00e9"',
        '1',
        '-0.5e+3',
        'null',
        'true',
        ' ',
        '\n',
        'é',
      ),
    );
    fc.assert(
      fc.property(pieces, (some) => {
        expect(isRead(some.join(''))).toBe(isJson(some.join('')));
      }),
      { numRuns: 5000 },
    );
    const broken = fc.tuple(fc.json(), fc.nat(), fc.nat(3), fc.constantFrom('', '"', ',', '}', '\\', '0', 'e', ' '));
    fc.assert(
      fc.property(broken, ([text, at, gone, instead]) => {
        const start = at % (text.length + 1);
        const changed = (text.slice(0, start) + instead + text.slice(start + gone)).toWellFormed();
        expect(isRead(changed)).toBe(isJson(changed));
      }),
      { numRuns: 5000 },
    );
  });
});
