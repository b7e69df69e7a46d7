// A hundred thousand changes by four writers, ten of them killed, and workers that fold meanwhile.
import { expect, test } from 'vitest';
import { openSampleMirror, sampleTables } from '../testing/sample-mirror.ts';
import { playChanges } from './play-changes.ts';
import { findMiscounts } from './recount.ts';

const CHANGES = 100_000;

test('counts equal counts after 100,000 changes by four writers and ten kills', async () => {
  const mirror = await openSampleMirror();
  try {
    const failed = await playChanges({ url: mirror.test.url, changes: CHANGES, writers: 4, kills: 10 });
    console.log(`${CHANGES} changes, of which ${failed} failed`);
    expect(await findMiscounts(mirror.database, sampleTables, { withinMs: 600_000 })).toEqual({
      miscounts: [],
      notCompared: [],
    });
  } finally {
    await mirror.close();
  }
});
