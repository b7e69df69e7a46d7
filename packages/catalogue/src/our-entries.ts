// All files of entries with the columns beside them. To add a resource takes its entry in one of them, and its columns in
// the `.columns.json` of the same name; only a new file must be listed here, twice.
//
// Columns are the fields that Procore's reference (https://developers.procore.com/reference/rest) shows in the answer of show,
// or in an item of the list where there is no show, with the type it gives them; decimals sent as text are numeric, objects
// and lists jsonb, and a `note` says what is inferred or odd. To refresh them, compare with the pages of the entry's paths:
// add what is new, and leave what is gone with a note, for views of others may read it. `mirror.schema_drift` tells what
// Procore sends besides.
import { z } from 'zod';
import { type CatalogueEntryInput, columnEntry } from './catalogue-entry.ts';
import budgetColumns from './entries/budget.columns.json' with { type: 'json' };
import { budget } from './entries/budget.ts';
import changesColumns from './entries/changes.columns.json' with { type: 'json' };
import { changes } from './entries/changes.ts';
import contractsColumns from './entries/contracts.columns.json' with { type: 'json' };
import { contracts } from './entries/contracts.ts';
import correspondenceColumns from './entries/correspondence.columns.json' with { type: 'json' };
import { correspondence } from './entries/correspondence.ts';
import costsColumns from './entries/costs.columns.json' with { type: 'json' };
import { costs } from './entries/costs.ts';
import dailyLogColumns from './entries/daily-log.columns.json' with { type: 'json' };
import { dailyLog } from './entries/daily-log.ts';
import directoryColumns from './entries/directory.columns.json' with { type: 'json' };
import { directory } from './entries/directory.ts';
import documentsColumns from './entries/documents.columns.json' with { type: 'json' };
import { documents } from './entries/documents.ts';
import drawingsColumns from './entries/drawings.columns.json' with { type: 'json' };
import { drawings } from './entries/drawings.ts';
import meetingsAndScheduleColumns from './entries/meetings-and-schedule.columns.json' with { type: 'json' };
import { meetingsAndSchedule } from './entries/meetings-and-schedule.ts';
import modelsColumns from './entries/models.columns.json' with { type: 'json' };
import { models } from './entries/models.ts';
import portfolioColumns from './entries/portfolio.columns.json' with { type: 'json' };
import { portfolio } from './entries/portfolio.ts';
import qualityColumns from './entries/quality.columns.json' with { type: 'json' };
import { quality } from './entries/quality.ts';
import workBreakdownColumns from './entries/work-breakdown.columns.json' with { type: 'json' };
import { workBreakdown } from './entries/work-breakdown.ts';

/** Every resource that Procore has events of, as far as we know. */
export const ourEntries: readonly CatalogueEntryInput[] = [
  ...portfolio,
  ...directory,
  ...workBreakdown,
  ...budget,
  ...contracts,
  ...changes,
  ...costs,
  ...documents,
  ...drawings,
  ...models,
  ...correspondence,
  ...quality,
  ...meetingsAndSchedule,
  ...dailyLog,
];

const columnsFile = z.record(z.string(), z.array(columnEntry));

/** The documented fields of a resource, also of some that have no events and that an operator may add. */
export const KNOWN_COLUMNS = new Map(
  [
    portfolioColumns,
    directoryColumns,
    workBreakdownColumns,
    budgetColumns,
    contractsColumns,
    changesColumns,
    costsColumns,
    documentsColumns,
    drawingsColumns,
    modelsColumns,
    correspondenceColumns,
    qualityColumns,
    meetingsAndScheduleColumns,
    dailyLogColumns,
  ].flatMap((file) => Object.entries(columnsFile.parse(file))),
);
