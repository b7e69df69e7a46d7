import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Envelope,
  fromJob,
  jobId,
  openEnvelope,
  readLabel,
  type SealedEnvelope,
  toJob,
  writeLabel,
} from './envelope.ts';
import { NewerEnvelopeError } from './errors.ts';

const body = Buffer.from([0, 255, 10]);
const receivedAt = new Date('2026-06-01T10:00:00.001Z');
const key = '0123456789abcdef';
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const envelope: Envelope = { v: 1, kind: 'delivery', body, receivedAt, key, trace };
const bare = { body, receivedAt };

/** As it comes out of the queue, having been JSON. */
const carried = (sealed: SealedEnvelope) => fromJob(JSON.parse(JSON.stringify(toJob(sealed))));

describe('opened', () => {
  test.each([
    ['a delivery', envelope, envelope],
    ['a report', { ...envelope, kind: 'report', key: null }, { ...envelope, kind: 'report', key: null }],
    ['one without a version', bare, { ...envelope, key: null, trace: null }],
    [
      'one without a version that has a kind',
      { ...bare, kind: 'report' },
      { ...envelope, kind: 'report', key: null, trace: null },
    ],
    ['one with members that nobody knows', { ...envelope, more: { deep: [1] } }, envelope],
    ['one with an odd key', { ...envelope, key: 7 }, { ...envelope, key: null }],
    ['one with a key of other characters', { ...envelope, key: 'x\u0000' }, { ...envelope, key: null }],
    ['one with an odd trace', { ...envelope, trace: ['a'] }, { ...envelope, trace: null }],
    ['one with a trace that is too short', { ...envelope, trace: 'abc' }, { ...envelope, trace: null }],
  ])('%s', (_, sealed, opened) => {
    expect(openEnvelope(carried(sealed))).toEqual(opened);
  });

  test.each([
    ['of a higher version', { ...envelope, v: 2 }],
    ['of a much higher version that has all else differently', { ...bare, v: 1e9, kind: 'delivery', key: {} }],
    ['of a kind that nobody knows', { ...envelope, kind: 'postcard' }],
    ['of an unknown kind without a version', { ...bare, kind: 'toString' }],
  ])('one %s says that the worker is too old', (_, sealed) => {
    expect(() => openEnvelope(carried(sealed))).toThrow(NewerEnvelopeError);
    expect(() => openEnvelope(carried(sealed))).toThrow(/written by a newer receiver.*update the worker/);
  });

  test.each([{ v: 0 }, { v: '1' }, { v: null }, { v: 1.5 }, { kind: 7 }, { kind: null }])('%j is nobody’s', (odd) => {
    expect(() => openEnvelope(carried({ ...envelope, ...odd }))).toThrow(TypeError);
  });
});

describe('in a job', () => {
  test('body and time are where a worker of before looks for them', () => {
    expect(toJob(envelope)).toEqual({
      ...{ v: 1, kind: 'delivery', key, trace },
      ...{ body: body.toString('base64'), receivedAt: receivedAt.toISOString() },
    });
  });

  test.each([null, 'text', {}, { body: 1, receivedAt: '2026-06-01' }, { body: '', receivedAt: 'yesterday' }])(
    '%j is no envelope',
    (job) => {
      expect(() => fromJob(job)).toThrow(TypeError);
    },
  );

  test('what a newer receiver wrote is passed on whole', () => {
    const newer = { ...envelope, v: 3, more: { deep: [null] }, ['__proto__']: 'x' };
    expect(carried(newer)).toEqual(newer);
  });
});

describe('the label', () => {
  test('is all but body and time, on one line', () => {
    expect(writeLabel(envelope)).toBe(JSON.stringify({ v: 1, kind: 'delivery', key, trace }));
    expect(writeLabel({ ...envelope, more: 'a\nb' })).not.toContain('\n');
  });

  test('comes out as it went in, whatever stands on it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (label) => {
        const { body: _, receivedAt: __, ...rest } = label;
        const plain = JSON.parse(JSON.stringify(rest));
        expect(readLabel(writeLabel({ ...plain, body, receivedAt }))).toEqual(plain);
      }),
    );
  });

  test.each(['', 'rubbish', '7', 'null', '[]', '"text"'])('%j is kept, and opens as nobody’s', (text) => {
    const odd = { ...readLabel(text), body, receivedAt };
    expect(JSON.stringify(carried(odd))).toContain(JSON.stringify(text));
    expect(() => openEnvelope(odd)).toThrow(TypeError);
  });

  test('cannot replace body or time', () => {
    expect(carried({ ...readLabel('{"body":"eA==","receivedAt":"2000-01-01T00:00:00Z","v":1}'), ...bare })).toEqual({
      ...bare,
      v: 1,
    });
  });
});

describe('the id of a job', () => {
  test('follows from the bytes alone, in a form BullMQ takes, whoever wrote the delivery', () => {
    expect(jobId(envelope)).toBe(jobId({ body, receivedAt: new Date(0) }));
    expect(jobId(envelope)).not.toBe(jobId({ ...envelope, body: Buffer.from('b') }));
    expect(jobId(envelope)).toMatch(/^d-[\w-]{43}$/);
  });

  test.each([{ kind: 'report' }, { v: 2 }, { kind: 'postcard' }])('with %j is another', (change) => {
    expect(jobId({ ...envelope, ...change })).not.toBe(jobId(envelope));
    expect(jobId({ ...envelope, ...change })).toMatch(/^[a-z]-[\w-]{43}$/);
  });
});

test.each([
  ['delivery log', 'delivery log'],
  ['replay', 'replay'],
  ['pigeon', undefined],
  [undefined, undefined],
])('how an envelope came, if not by a delivery, travels along: %s', (via, read) => {
  const sealed = {
    body: Buffer.from('{}'),
    receivedAt: new Date(0),
    v: 1,
    kind: 'delivery',
    key: null,
    trace: null,
    via,
  };
  const carried = fromJob(JSON.parse(JSON.stringify(toJob(sealed))));
  expect(openEnvelope(carried).via).toBe(read);
  expect(openEnvelope({ ...sealed, ...readLabel(writeLabel(sealed)) }).via).toBe(read);
  expect(jobId(carried)).toBe(jobId({ ...sealed, via: undefined }));
});
