import { expect, test } from 'vitest';
import { createLog } from './create-log.ts';
import { createSecrets } from './secrets.ts';

function aLog(options: { level?: string; pretty?: boolean } = {}) {
  const lines: string[] = [];
  const secrets = createSecrets();
  const log = createLog({ name: 'test', level: 'info', secrets, write: (line) => lines.push(line), ...options });
  return { log, secrets, lines, entries: () => lines.map((line): Record<string, unknown> => JSON.parse(line)) };
}

class StatusError extends Error {
  override name = 'StatusError';
  readonly status = 502;
  readonly body = 'the body of the answer';
}

test('each entry is one line of JSON with level, name and time in words', () => {
  const { log, lines, entries } = aLog();
  log.info({ resource: 'RFIs', outcome: 'done' }, 'stored');
  log.debug('not at this level');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(entries()[0]).toMatchObject({ level: 'info', name: 'test', msg: 'stored', resource: 'RFIs', outcome: 'done' });
  expect(entries()[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
});

test.each([false, true])('no secret passes, whichever way it gets into an entry (pretty: %s)', (pretty) => {
  const { log, secrets, lines } = aLog({ pretty });
  const token = 'tok"en/0123456789';
  secrets.add(token);
  const basic = Buffer.from(`id:${token}`).toString('base64');
  log.info(token);
  log.info({ headers: { authorization: [`Bearer ${token}`] } }, 'headers');
  log.child({ token }).error(new Error(`refused ${token}`, { cause: new Error(token) }));
  log.warn({ url: `https://host/?t=${encodeURIComponent(token)}`, [token]: 1, basic }, '%s', token);
  expect(lines.length).toBeGreaterThanOrEqual(4);
  const text = lines.join('');
  expect(text.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(9);
  for (const part of ['0123456789', basic.slice(8)]) expect(text).not.toContain(part);
});

test('an error is written with name, message, code, status, stack and its chain of causes, and nothing else', () => {
  const { log, lines, entries } = aLog();
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', detail: 'a row' });
  const attempts = new AggregateError([refused], 'all attempts failed');
  log.error({ error: new StatusError('no answer', { cause: attempts }), resource: 'RFIs' }, 'fetch failed');
  expect(entries()[0]).toMatchObject({
    resource: 'RFIs',
    error: {
      name: 'StatusError',
      message: 'no answer',
      status: 502,
      stack: expect.stringMatching(/^StatusError: no answer\n {4}at /),
      cause: {
        name: 'AggregateError',
        message: 'all attempts failed',
        errors: [{ name: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' }],
      },
    },
  });
  expect(lines.join('')).not.toMatch(/body of the answer|a row/);
});

test('an error alone, and an error under any other key, are written the same way', () => {
  const { log, entries } = aLog();
  log.error(new StatusError('alone'));
  log.warn({ reason: new StatusError('elsewhere') }, 'parked');
  expect(entries()).toMatchObject([
    { msg: 'alone', error: { name: 'StatusError', status: 502 } },
    { msg: 'parked', reason: { message: 'elsewhere', status: 502 } },
  ]);
});

test('an error that quotes a body it could not parse is written without the quotation', () => {
  const { log, lines } = aLog();
  for (const body of ['{"name": "Jane Doe", oops}', 'Jane Doe', `${'x'.repeat(50)}{"Jane": Doe}`]) {
    try {
      JSON.parse(body);
    } catch (error) {
      log.error({ error: new Error('not readable', { cause: error }), other: error }, 'odd body');
    }
  }
  expect(lines).toHaveLength(3);
  expect(lines.join('')).not.toMatch(/Jane|Doe/);
});

test('causes that go in circles, or are no errors, do no harm', () => {
  const { log, entries } = aLog();
  const first = new Error('first');
  first.cause = new Error('second', { cause: first });
  log.error(first);
  log.error(new Error('odd', { cause: { body: 'hidden' } }));
  expect(entries()).toMatchObject([
    { error: { message: 'first', cause: { message: 'second', cause: { message: 'first' } } } },
    { error: { message: 'odd', cause: { name: 'NotAnError' } } },
  ]);
  expect(JSON.stringify(entries())).not.toContain('hidden');
});

test('pretty lines are for people', () => {
  const { log, lines } = aLog({ pretty: true });
  log.info({ resource: 'RFIs' }, 'stored');
  expect(lines.join('')).toMatch(/INFO.*stored\n\s+resource: "RFIs"/);
});
