// From some versions; from all of them: upgrade.prove.ts.
import { test } from 'vitest';
import { migrations, upgradeFrom } from './testing/upgrade-from.ts';

/** The last migrations of versions that were released. */
const RELEASED = ['0018_own-failures'];

const some = migrations
  .map(({ name }, index) => ({ name, index }))
  .filter(({ name, index }) => index % 7 === 0 || RELEASED.includes(name) || index >= migrations.length - 2);

// Side by side, for each waits for the reader. With its migrations a server has much to do.
test.concurrent.for(some)(
  'a filled database of $name is upgraded beside a reader, with all its rows',
  { timeout: 300_000 },
  ({ index }) => upgradeFrom(index),
);
