export { type AppProcess, startApp } from './app-process.ts';
export { readRedis } from './read-redis.ts';
export { type System, type SystemOptions, startSystem } from './system.ts';
export { createTestDatabase, type TestDatabase, testRedis } from './test-database.ts';
