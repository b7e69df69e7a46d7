import type { CatalogueEntryInput } from './catalogue-entry.ts';

/** People and firms. Lists hold active ones only and lack permission keys, so only show completes a row. */
export const directory: CatalogueEntryInput[] = [
  {
    resource: 'Company Users',
    tool: 'Directory',
    scope: 'company',
    events: ['create', 'update'],
    show: '/rest/v1.3/companies/{company_id}/users/{id}',
    list: { path: '/rest/v1.3/companies/{company_id}/users', carries: 'part of the record' },
    // Project Users send no update since 30 June 2026: an edited person arrives as Company Users, without a project.
    alsoChanges: ['Project Users'],
  },
  {
    resource: 'Company Vendors',
    tool: 'Directory',
    scope: 'company',
    events: ['create', 'update'],
    show: '/rest/v1.0/vendors/{id}?company_id={company_id}',
    list: { path: '/rest/v1.0/vendors?company_id={company_id}', carries: 'part of the record' },
  },
  {
    resource: 'Project Users',
    tool: 'Directory',
    scope: 'project',
    events: ['create', 'delete'],
    idRepeatsAcrossProjects: true,
    show: '/rest/v1.0/projects/{project_id}/users/{id}',
    list: { path: '/rest/v1.0/projects/{project_id}/users', carries: 'part of the record' },
  },
];
