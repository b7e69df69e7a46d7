// What drizzle-kit compares with this folder. It takes tables from named exports only, and the tables of the catalogue
// are a list: CommonJS can export them by name all the same. No process of ours loads drizzle's tables: they take 50 MB.
const { drizzleTable, procore } = require('../packages/database/src/schema/drizzle-table.ts');
const { catalogue } = require('../packages/catalogue/src/catalogue.ts');

module.exports = {
  ...require('../packages/database/src/schema/schema.ts'),
  procore,
  ...Object.fromEntries(catalogue.tables.map((table) => [table.name, drizzleTable(table)])),
};
