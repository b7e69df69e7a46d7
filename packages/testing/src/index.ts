export { type AppProcess, startApp } from './app-process.ts';
export { type System, type SystemOptions, startSystem } from './system.ts';
export { createTestDatabase, type TestDatabase } from './test-database.ts';
export { createTestRedis, readRedis } from './test-redis.ts';
