import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import samples from './fixtures/payload-samples.json' with { type: 'json' };
import { type ParsedWebhookEvent, parseWebhookEvent } from './webhook-event.ts';

const classic = {
  api_version: 'v2.0',
  id: 123456789,
  ulid: '01EDPD2J6SBY1163N77H95GW09',
  timestamp: '2025-02-06T23:34:12.246562Z',
  company_id: 42,
  project_id: 7,
  user_id: 1,
  event_type: 'update',
  resource_name: 'RFIs',
  resource_id: 54321,
  metadata: { source_user_id: null },
};
const classicEvent = {
  id: '01EDPD2J6SBY1163N77H95GW09',
  companyId: '42',
  projectId: '7',
  resource: 'RFIs',
  recordId: '54321',
  kind: 'update',
  occurredAt: '2025-02-06T23:34:12.246562Z',
  payloadVersion: 'v2.0',
  related: [],
};
const newer = {
  id: '01JMYXMZRBVKK0PC6XS8SA4QRE',
  timestamp: '2025-02-25T16:04:43.619085Z',
  reason: 'update',
  company_id: '8',
  project_id: '6778',
  resource_type: 'Direct Cost Line Items',
  resource_id: '379913',
};

const aBody = (fields: object, of: object = classic): string => JSON.stringify({ ...of, ...fields });
/** A body in which one field is written just so, which JSON.stringify would not do. */
const aBodyWith = (field: string, written: string): string =>
  aBody({ [field]: '@' }).replace(`"${field}":"@"`, `"${field}":${written}`);
const eventOf = (parsed: ParsedWebhookEvent): object => {
  expect(parsed).toMatchObject({ ok: true });
  return parsed.ok ? parsed.event : {};
};
const reasonOf = (body: string): string => {
  const parsed = parseWebhookEvent(body);
  return parsed.ok ? 'ok' : parsed.reason;
};

describe('what Procore sends', () => {
  test.each([
    [
      0,
      {
        id: '01EDPD2J6SBY1163N77H95GW09',
        companyId: '6452',
        projectId: '219542',
        resource: 'Purchase Order Contract Line Items',
        recordId: '245510722',
        kind: 'create',
        occurredAt: '2020-07-20T15:22:01.353581Z',
        payloadVersion: 'v2.0',
        related: [],
      },
    ],
    [
      1,
      {
        id: '17953049',
        companyId: '26972',
        projectId: '18918',
        resource: 'RFIs',
        recordId: '11787',
        kind: 'create',
        occurredAt: '2020-05-29T20:13:49.549873Z',
        payloadVersion: 'v2.0',
        related: [],
      },
    ],
    [
      2,
      {
        id: '0A1B2C3D4F5G6H7I8J9K0LMN',
        companyId: '1357908642',
        projectId: '2468013579',
        resource: 'RFIs',
        recordId: '54321',
        kind: 'update',
        occurredAt: '2025-02-06T23:34:12.246562Z',
        payloadVersion: 'v2.0',
        related: [],
      },
    ],
    [
      3,
      {
        id: '0A1B2C3D4F5G6H7I8J9K0LMN',
        companyId: '1357908642',
        projectId: '2468013579',
        resource: 'Direct Cost Line Items',
        recordId: '379913',
        kind: 'update',
        occurredAt: '2025-02-06T23:34:12.246562Z',
        payloadVersion: 'v3.0',
        related: [{ id: '1234', resource: 'Direct Costs' }],
      },
    ],
    [
      4,
      {
        id: '01JMYXMZRBVKK0PC6XS8SA4QRE',
        companyId: '8',
        projectId: '6778',
        resource: 'Direct Cost Line Items',
        recordId: '379913',
        kind: 'update',
        occurredAt: '2025-02-25T16:04:43.619085Z',
        payloadVersion: 'v4.0',
        related: [],
      },
    ],
    [
      5,
      {
        id: '01KKEZ6PX3AZJ38KKBX6RYEJSW',
        companyId: '598134325683880',
        projectId: null,
        resource: 'Projects',
        recordId: '598134326517540',
        kind: 'create',
        occurredAt: '2026-03-11T17:30:38.082829Z',
        payloadVersion: 'v4.0',
        related: [],
      },
    ],
  ])('sample %i becomes its event', (index, event) => {
    expect(samples).toHaveLength(6);
    expect(parseWebhookEvent(samples[index]?.body ?? '')).toEqual({ ok: true, event });
  });

  test('an event id beyond 2^53 keeps its digits where there is no ULID', () => {
    const body = aBodyWith('id', '5982324300946918154');
    for (const ulid of ['null', '""', undefined]) {
      const bare = body.replace(/"ulid":"[^"]*"/, ulid === undefined ? '"x":1' : `"ulid":${ulid}`);
      expect(eventOf(parseWebhookEvent(bare))).toEqual({ ...classicEvent, id: '5982324300946918154' });
    }
  });

  test.each([
    ['v2', 'v2.0'],
    ['v2.0', 'v2.0'],
    ['V3.0', 'v3.0'],
    ['v3', 'v3.0'],
  ])('the version may be written %s', (api_version, payloadVersion) => {
    expect(eventOf(parseWebhookEvent(aBody({ api_version })))).toMatchObject({ payloadVersion });
  });

  test('v4.0 may say its version, and bring fields we do not know', () => {
    for (const more of [{ payload_version: 'v4.0' }, { payload_version: 'v4' }, { data: { id: 1, reason: 'x' } }]) {
      expect(eventOf(parseWebhookEvent(aBody(more, newer)))).toEqual(eventOf(parseWebhookEvent(aBody({}, newer))));
    }
  });

  test.each([
    ['Created', 'created'],
    ['UPDATE', 'update'],
    ['Status Changed', 'status changed'],
    ['a.b_c-d', 'a.b_c-d'],
  ])('reason %s is kind %s', (reason, kind) => {
    expect(eventOf(parseWebhookEvent(aBody({ reason }, newer)))).toMatchObject({ kind });
  });

  test.each([null, '', 0, '0', undefined])('project_id %j means none', (project_id) => {
    expect(eventOf(parseWebhookEvent(aBody({ project_id })))).toEqual({ ...classicEvent, projectId: null });
  });

  test('a record id may be a ULID', () => {
    const resource_id = '01JMYXMZRBVKK0PC6XS8SA4QRE';
    expect(eventOf(parseWebhookEvent(aBody({ resource_id }, newer)))).toMatchObject({ recordId: resource_id });
  });

  test('an event may be wrapped as the deliveries API does', () => {
    const wrapped = JSON.stringify({ id: '1', status: 'discarded', payload: classic, delivery_attempts: [] });
    expect(eventOf(parseWebhookEvent(wrapped))).toEqual(classicEvent);
    expect(reasonOf(JSON.stringify({ payload: { payload: classic } }))).toBe('unknown_version');
    expect(eventOf(parseWebhookEvent(aBody({ payload: { resource_name: 'X' } })))).toEqual(classicEvent);
  });

  test('related resources that make no sense are left out', () => {
    const related_resources = [
      { id: 1234, name: 'Direct Costs' },
      { id: '../..', name: 'Direct Costs' },
      { id: 1 },
      null,
      7,
      'x',
    ];
    const related = [{ id: '1234', resource: 'Direct Costs' }];
    expect(eventOf(parseWebhookEvent(aBody({ related_resources })))).toMatchObject({ related });
    for (const odd of [null, 7, {}, 'x']) {
      expect(eventOf(parseWebhookEvent(aBody({ related_resources: odd })))).toMatchObject({ related: [] });
    }
  });
});

describe('what is no event', () => {
  test.each([
    ['', 'not_json'],
    ['hello', 'not_json'],
    ['{"id":', 'not_json'],
    ['{"id":007}', 'not_json'],
    ['[', 'not_json'],
    ['\u0000', 'not_json'],
    ['['.repeat(1024 * 1024), 'not_json'],
    ['{"a":'.repeat(200_000), 'not_json'],
    ['['.repeat(500_000) + ']'.repeat(500_000), 'not_an_object'],
    ['\ufeff', 'not_json'],
    [`\ufeff\ufeff${aBody({})}`, 'not_json'],
    ['[]', 'not_an_object'],
    [`[${aBody({})}]`, 'not_an_object'],
    ['7', 'not_an_object'],
    ['null', 'not_an_object'],
    ['"x"', 'not_an_object'],
    ['true', 'not_an_object'],
    ['{}', 'unknown_version'],
    ['{"__proto__":{"api_version":"v2.0","resource_type":"RFIs"}}', 'unknown_version'],
    ['{"constructor":1,"toString":null,"payload":7}', 'unknown_version'],
    [aBody({ api_version: 'v1.0' }), 'unknown_version'],
    [aBody({ api_version: 'v5.0' }), 'unknown_version'],
    [aBody({ api_version: 'v2.1' }), 'unknown_version'],
    [aBody({ api_version: { a: 1 } }), 'unknown_version'],
    [aBody({ api_version: null }), 'unknown_version'],
  ])('%# is refused: %.40s', (body, reason) => {
    expect(parseWebhookEvent(body)).toEqual({ ok: false, reason, detail: expect.any(String) });
  });

  test('brackets within a string are not depth', () => {
    const text = `\\"[{\\\\${'['.repeat(1000)}`;
    expect(reasonOf(aBody({ text }))).toBe('ok');
  });

  test.each([30, 900, 5000, 100_000])('a field that nests %i deep is let be', (depth) => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"x":', '}'],
    ] as const) {
      const deep = open.repeat(depth) + 1 + close.repeat(depth);
      expect(eventOf(parseWebhookEvent(aBodyWith('metadata', deep)))).toEqual(classicEvent);
      expect(eventOf(parseWebhookEvent(aBodyWith('related_resources', deep)))).toEqual(classicEvent);
      expect(reasonOf(aBodyWith('resource_id', deep))).toBe('bad_id');
      expect(reasonOf(deep)).toBe(open === '[' ? 'not_an_object' : 'unknown_version');
    }
  });

  test('a byte order mark before the body is let be', () => {
    expect(eventOf(parseWebhookEvent(`\ufeff${aBody({})}`))).toEqual(classicEvent);
  });

  test.each(['company_id', 'resource_id', 'resource_name', 'event_type'])('without %s it names the field', (field) => {
    for (const value of [undefined, null, '']) {
      expect(parseWebhookEvent(aBody({ [field]: value }))).toEqual({
        ok: false,
        reason: 'missing_field',
        detail: `${field} is missing`,
      });
    }
  });

  test.each(['id', 'company_id', 'resource_id', 'resource_type', 'reason'])(
    'v4.0 without %s it names the field',
    (field) => {
      expect(parseWebhookEvent(aBody({ [field]: null, payload_version: 'v4.0' }, newer))).toMatchObject({
        reason: 'missing_field',
        detail: `${field} is missing`,
      });
    },
  );
});

describe('ids', () => {
  const anyField = ['company_id', 'project_id', 'resource_id', 'ulid'];
  const bad = [
    '"../../rest/v1.0/me"',
    '"%2e%2e"',
    '"1/2"',
    '"1?x"',
    '" 1"',
    '"1\\n"',
    '"\\u0000"',
    '"-5"',
    '-5',
    '-0',
    '1.0',
    '1.5',
    '1e3',
    '1E400',
    '"1.5"',
    '"007"',
    '"00"',
    '"٣"',
    'true',
    'false',
    '[]',
    '[1]',
    '{}',
    '"9223372036854775808"',
    '9223372036854775808',
    '10000000000000000000',
    '99999999999999999999999999',
    `"${'A'.repeat(65)}"`,
    `"${'x'.repeat(100_000)}"`,
    '"_"',
    '"-a"',
  ];
  test.each(anyField.flatMap((field) => bad.map((written) => [field, written])))(
    '%s %.40s is refused',
    (field, written) => {
      const parsed = parseWebhookEvent(aBodyWith(field, written));
      expect(parsed).toMatchObject({
        ok: false,
        reason: 'bad_id',
        detail: expect.stringMatching(`^${field} is no id`),
      });
    },
  );

  test.each(['company_id', 'project_id'])('%s is a number, no ULID', (field) => {
    expect(reasonOf(aBody({ [field]: '01JMYXMZRBVKK0PC6XS8SA4QRE' }))).toBe('bad_id');
    expect(reasonOf(aBody({ [field]: 'projects' }))).toBe('bad_id');
  });

  test('company_id 0 is no company', () => {
    expect(reasonOf(aBody({ company_id: 0 }))).toBe('bad_id');
  });

  test('the largest bigint is an id', () => {
    const event = eventOf(parseWebhookEvent(aBodyWith('resource_id', '9223372036854775807')));
    expect(event).toEqual({ ...classicEvent, recordId: '9223372036854775807' });
  });

  test('of a key that comes twice the last counts, as in Postgres', () => {
    expect(eventOf(parseWebhookEvent(aBody({}).replace('{', '{"resource_id":1,')))).toEqual(classicEvent);
    expect(reasonOf(aBody({}).replace('}}', '},"resource_id":"../.."}'))).toBe('bad_id');
  });
});

test.each([' ', '...', 'x'.repeat(65), 'a/b', 'é', "';drop", 'a\nb', 7.5, true, {}])(
  'kind %j is refused',
  (event_type) => {
    expect(reasonOf(aBody({ event_type }))).toBe('bad_kind');
  },
);

test.each(['x'.repeat(201), ' ', 'a\nb', 'a\u0000', '\u202e', '\ud800', '\u2028', 7.5, true, [], { a: 1 }])(
  'resource name %j is refused',
  (resource_name) => {
    expect(reasonOf(aBody({ resource_name }))).toBe('bad_resource');
  },
);

test.each(['x'.repeat(200), 'RFIs', 'Daily Log/Entries', 'Büro – Ö', "';drop table", '😀', '__proto__'])(
  'resource name %j is let through, for the catalogue to know it or not',
  (resource_name) => {
    expect(eventOf(parseWebhookEvent(aBody({ resource_name })))).toEqual({ ...classicEvent, resource: resource_name });
  },
);

test.each([' RFIs', 'RFIs ', '\tRFIs\r\n', 'RFIs\u00a0'])('resource name %j has blanks that do not count', (name) => {
  expect(eventOf(parseWebhookEvent(aBody({ resource_name: name })))).toEqual(classicEvent);
  const related_resources = [{ id: 1, name }];
  expect(eventOf(parseWebhookEvent(aBody({ related_resources })))).toMatchObject({ related: [{ resource: 'RFIs' }] });
  expect(eventOf(parseWebhookEvent(aBody({ event_type: ' Delete ' })))).toMatchObject({ kind: 'delete' });
});

test.each([
  undefined,
  null,
  '',
  'yesterday',
  '2025-02-30T00:00:00Z',
  '2025-13-01T00:00:00Z',
  '2025-02-06T25:00:00Z',
  '2025-02-06T23:60:00Z',
  '2025-02-06',
  '0000-01-01T00:00:00Z',
  '2025-02-06T23:34:12+24:00',
  '2025-02-06T23:34:12 MST',
  '02/06/2025 11:34 PM',
  17,
  1e300,
  true,
  [],
  {},
])('timestamp %j cannot be read, which costs nothing', (timestamp) => {
  expect(eventOf(parseWebhookEvent(aBody({ timestamp })))).toEqual({ ...classicEvent, occurredAt: null });
});

test.each([
  '2025-02-06T23:34:12Z',
  '2024-02-29T00:00:00.1Z',
  '2025-02-06T23:34:12.246562+05:30',
  '2025-02-06T23:34:12.246562-14:00',
])('timestamp %s stays as it is', (timestamp) => {
  expect(eventOf(parseWebhookEvent(aBody({ timestamp })))).toEqual({ ...classicEvent, occurredAt: timestamp });
});

test.each([
  ['2025-02-06T23:34:12', '2025-02-06T23:34:12Z'],
  ['2025-02-06T23:34:12.246562', '2025-02-06T23:34:12.246562Z'],
  ['2025-02-06T23:34:12,246Z', '2025-02-06T23:34:12.246Z'],
  ['2025-02-06T23:34Z', '2025-02-06T23:34:00Z'],
  ['2025-02-06 23:34:12 UTC', '2025-02-06T23:34:12Z'],
  ['2025-02-06 23:34:12 +0530', '2025-02-06T23:34:12+05:30'],
  ['2025-02-06t23:34:12-08', '2025-02-06T23:34:12-08:00'],
  [' 2025-02-06T23:34:12z ', '2025-02-06T23:34:12Z'],
  ['2025-02-06T23:34:12.2465621234Z', '2025-02-06T23:34:12.246562123Z'],
  [1738884852, '2025-02-06T23:34:12.000Z'],
  ['1738884852', '2025-02-06T23:34:12.000Z'],
  [1738884852.5, '2025-02-06T23:34:12.500Z'],
  [1738884852246, '2025-02-06T23:34:12.246Z'],
])('timestamp %j is %s', (timestamp, occurredAt) => {
  expect(eventOf(parseWebhookEvent(aBody({ timestamp })))).toEqual({ ...classicEvent, occurredAt });
});

describe('whatever comes', () => {
  const isSafe = (body: string): void => {
    const parsed = parseWebhookEvent(body);
    if (!parsed.ok) {
      expect(parsed.reason).toMatch(/^[a-z_]+$/);
      expect(parsed.detail.length).toBeLessThan(200);
      return;
    }
    const { event } = parsed;
    expect(event.companyId).toMatch(/^[1-9]\d{0,18}$/);
    if (event.projectId !== null) expect(event.projectId).toMatch(/^[1-9]\d{0,18}$/);
    for (const id of [event.id, event.recordId, ...event.related.map((one) => one.id)]) {
      expect(id).toMatch(/^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$/);
    }
    expect(event.kind).toMatch(/^[a-z0-9_. -]{1,64}$/);
    expect([...event.resource].length).toBeLessThanOrEqual(200);
    if (event.occurredAt !== null) expect(Date.parse(event.occurredAt)).not.toBeNaN();
    expect(parseWebhookEvent(body)).toEqual(parsed);
  };
  const oddId = fc.oneof(
    fc.stringMatching(/^[0-9A-Za-z_./%?-]{0,70}$/),
    fc.bigInt().map(String),
    fc.maxSafeInteger(),
    fc.double(),
    fc.boolean(),
    fc.constantFrom(null, '', '0', '__proto__'),
  );
  const oddEvent = fc.record(
    {
      api_version: fc.constantFrom('v2', 'v2.0', 'v3.0', 'v4.0', 'v9', 3),
      payload_version: fc.constantFrom('v4.0', ''),
      id: oddId,
      ulid: oddId,
      company_id: fc.oneof(oddId, fc.nat()),
      project_id: fc.oneof(oddId, fc.nat()),
      resource_id: fc.oneof(oddId, fc.nat()),
      resource_name: fc.oneof(fc.constant('RFIs'), fc.string({ unit: 'binary', maxLength: 250 })),
      resource_type: fc.oneof(fc.constant('RFIs'), fc.string({ unit: 'binary' })),
      event_type: fc.oneof(fc.constantFrom('create', 'UPDATE'), fc.string()),
      reason: fc.oneof(fc.constantFrom('create', 'Created'), fc.string()),
      timestamp: fc.oneof(
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
        fc.string(),
      ),
      related_resources: fc.oneof(fc.jsonValue(), fc.array(fc.record({ id: oddId, name: fc.string() }))),
      metadata: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );

  test('text does not make it throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), isSafe), { numRuns: 500 });
  });

  test('JSON does not make it throw', () => {
    fc.assert(fc.property(fc.json(), isSafe), { numRuns: 500 });
  });

  test('something like an event is refused or has ids of the allowed alphabets only', () => {
    fc.assert(
      fc.property(oddEvent, fc.constantFrom({}, classic, newer), (odd, of) => isSafe(aBody(odd, of))),
      { numRuns: 3000 },
    );
  });

  test('an event that was cut anywhere is refused', () => {
    const body = aBody({});
    for (let length = 0; length < body.length; length += 1) expect(reasonOf(body.slice(0, length))).toBe('not_json');
  });
});
