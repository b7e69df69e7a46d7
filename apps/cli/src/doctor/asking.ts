import type { Catalogue } from '@procore-mirror/catalogue';
import type { Database } from '@procore-mirror/database';
import type { z } from 'zod';
import type { Context } from '../context.ts';
import type { procoreSchema, selectionSchema } from '../env.ts';

/** What Procore is asked with, and about. */
export type Asking = {
  context: Context;
  env: z.infer<typeof procoreSchema>;
  database: Database;
  companyIds: readonly string[];
  projectId: string | undefined;
  wanted: z.infer<typeof selectionSchema>['MIRROR_PROJECTS'];
  catalogue: Catalogue;
  resources: readonly string[] | null;
};
