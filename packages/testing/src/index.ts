export { createTestDatabase, type TestDatabase, testRedis } from './test-database.ts';
