// From every version: the states that its migrations left, one by one.
import { test } from 'vitest';
import { migrations, upgradeFrom } from './testing/upgrade-from.ts';

test.concurrent.for(migrations.map(({ name }, index) => ({ name, index })))(
  'a filled database of $name is upgraded beside a reader, with all its rows',
  { timeout: 600_000 },
  ({ index }) => upgradeFrom(index),
);
