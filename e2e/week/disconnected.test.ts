// A small edition of disconnected.prove.ts.
import { expect, test } from 'vitest';
import { disconnectCompany } from './disconnect-company.ts';

test('a company that disconnects for a day in the middle of a fill costs its probes only, and is complete afterwards', async () => {
  const callsPerHour = 600;
  const found = await disconnectCompany({
    when: 'is half filled',
    arrives: false,
    callsPerHour,
    projects: 2,
    workers: 2,
  });
  expect(found).toMatchObject({ differences: [], failedFills: 0, limited: 0 });
  expect(found.callsWhileParked).toBeLessThanOrEqual(30);
  expect(found.otherWaited.meanwhile).toBeLessThanOrEqual(found.otherWaited.afterwards * 1.1);
  // Its probe comes within two hours; then it has half of the calls at least.
  expect(found.hoursUntilComplete).toBeLessThan(2.5 + found.callsUntilComplete / (callsPerHour / 2));
}, 600_000); // beside whatever else the machine does
