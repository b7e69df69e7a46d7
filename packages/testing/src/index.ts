export { type AppProcess, startApp } from './app-process.ts';
export { type Product, prepareProduct } from './product.ts';
export { type Answer, type Asked, type Hold, type ScriptedProcore, startScriptedProcore } from './scripted-procore.ts';
export { certificates, type Pooler, startPooler } from './start-pooler.ts';
export { type System, type SystemOptions, startSystem } from './system.ts';
export { createTestDatabase, type TestDatabase } from './test-database.ts';
export { createTestRedis, readRedis } from './test-redis.ts';
