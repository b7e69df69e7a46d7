// A company disconnects the app for a day, whatever it does just then: `pnpm prove disconnected`. The figures are in docs/figures.md.
import { expect, test } from 'vitest';
import { type DisconnectOptions, disconnectCompany } from './disconnect-company.ts';

test.each<DisconnectOptions>([
  { when: 'begins to be filled', arrives: true, callsPerHour: 600, projects: 3, workers: 2 },
  { when: 'begins to be filled', arrives: false, callsPerHour: 3600, projects: 20, workers: 1 },
  { when: 'is half filled', arrives: true, callsPerHour: 3600, projects: 20, workers: 1 },
  { when: 'is half filled', arrives: false, callsPerHour: 600, projects: 1, workers: 2 },
  { when: 'is live', arrives: true, callsPerHour: 600, projects: 1, workers: 1 },
  { when: 'is live', arrives: false, callsPerHour: 600, projects: 20, workers: 2 },
  { when: 'has a backlog', arrives: true, callsPerHour: 600, projects: 20, workers: 2 },
  { when: 'has a backlog', arrives: false, callsPerHour: 3600, projects: 1, workers: 1 },
])(
  'a company that disconnects for a day costs its probes, no news of others, and is complete afterwards: %o',
  async (options) => {
    const { said, ...found } = await disconnectCompany(options);
    console.info(JSON.stringify({ ...options, ...found, said }));
    expect(found).toMatchObject({ differences: [], failedFills: 0, limited: 0 });
    expect(found.callsWhileParked).toBeLessThanOrEqual(30);
    expect(found.otherWaited.meanwhile).toBeLessThanOrEqual(found.otherWaited.afterwards * 1.1);
    expect(found.hoursUntilComplete).toBeLessThan(2.5 + found.callsUntilComplete / (options.callsPerHour / 2));
  },
);
