import { expect, test } from 'vitest';
import { aDelivery } from './deliveries.contract.ts';
import { fromJob, jobId, pauseAfter, toJob } from './delivery-job.ts';

test('a delivery survives the way through JSON', () => {
  const delivery = { body: Buffer.from([0, 255, 10]), receivedAt: new Date('2026-06-01T10:00:00.001Z') };
  expect(fromJob(JSON.parse(JSON.stringify(toJob(delivery))))).toEqual(delivery);
});

test('the id follows from the bytes alone, in a form BullMQ takes', () => {
  expect(jobId(aDelivery('a'))).toBe(jobId({ ...aDelivery('a'), receivedAt: new Date(0) }));
  expect(jobId(aDelivery('a'))).not.toBe(jobId(aDelivery('b')));
  expect(jobId(aDelivery('a'))).toMatch(/^d-[\w-]{43}$/);
});

test.each([null, 'text', {}, { body: 1, receivedAt: '2026-06-01' }, { body: '', receivedAt: 'yesterday' }])(
  '%j is not a delivery',
  (job) => {
    expect(() => fromJob(job)).toThrow(TypeError);
  },
);

test.each([
  [1, 250],
  [2, 500],
  [5, 4_000],
  [8, 30_000],
  [1_000_000, 30_000],
])('after %i failures the pause is at most %i ms and not much less', (failures, ms) => {
  expect(pauseAfter(failures, () => 1)).toBe(ms);
  expect(pauseAfter(failures, () => 0)).toBe(ms * 0.8);
});
