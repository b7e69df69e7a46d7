import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './migrations/schema.cjs',
  schemaFilter: ['mirror', 'procore'],
  out: './migrations',
  migrations: { prefix: 'index' },
});
