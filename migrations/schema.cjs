// What drizzle-kit compares with this folder. It takes tables from named exports only, and the tables of the catalogue
// are a list: CommonJS can export them by name all the same.
const { procore } = require('../packages/database/src/drizzle-table.ts');

module.exports = {
  ...require('../packages/database/src/schema.ts'),
  procore,
  ...require('../packages/mirror/src/tables.ts').tables,
};
