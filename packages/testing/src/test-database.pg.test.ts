import { expect, test } from 'vitest';
import { createTestDatabase } from './test-database.ts';

test.each(['postgres18', 'postgres15'] as const)('a test database runs on %s', async (version) => {
  const database = await createTestDatabase(version);
  const { rows } = await database.pool.query('show server_version_num');
  expect(`postgres${Math.floor(Number(rows[0].server_version_num) / 10_000)}`).toBe(version);
  await database.drop();
});
