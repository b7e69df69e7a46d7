import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** People and firms, and what insures them. */
export const directory: CatalogueEntryInput[] = [
  {
    resource: 'Company Users',
    tool: 'Directory',
    scope: 'company',
    events: ['create', 'update'],
    show: '/rest/v1.3/companies/{company_id}/users/{id}',
    // Active ones only, without their permission keys; others are in …/users/inactive
    // (docs/procore.md: What lists leave out).
    list: {
      path: '/rest/v1.3/companies/{company_id}/users',
      also: ['/rest/v1.0/companies/{company_id}/users/inactive'],
      carries: 'part of the record',
      filterByUpdate: true,
    },
    // Project Users send no update since 30 June 2026 (docs/procore.md: Missing events): an edited person arrives as
    // Company Users, without a project.
    alsoChanges: ['Project Users'],
  },
  {
    resource: 'Company Vendors',
    tool: 'Directory',
    scope: 'company',
    events: ['create', 'update'],
    show: '/rest/v1.0/vendors/{id}?company_id={company_id}',
    // Whether its extended view, the default, carries all that show does is not known.
    list: {
      path: '/rest/v1.0/vendors?company_id={company_id}',
      also: ['/rest/v1.0/companies/{company_id}/vendors/inactive'], // active ones only, too
      carries: 'part of the record',
      filterByUpdate: true,
    },
    // Project Vendors send no update since 30 June 2026, either.
    alsoChanges: ['Project Vendors'],
  },
  {
    resource: 'Departments',
    tool: 'Directory',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/departments/{id}?company_id={company_id}',
    list: { path: '/rest/v1.0/departments?company_id={company_id}', carries: 'whole record' },
  },
  {
    resource: 'Company Insurances',
    tool: 'Directory',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/companies/{company_id}/insurances/{id}',
    list: { path: '/rest/v1.0/companies/{company_id}/insurances', carries: 'whole record' },
  },
  {
    resource: 'Project Users',
    tool: 'Directory',
    scope: 'project',
    events: ['create', 'delete'],
    idRepeatsAcrossProjects: true,
    show: '/rest/v1.0/projects/{project_id}/users/{id}',
    // Takes one id only.
    list: {
      path: '/rest/v1.0/projects/{project_id}/users',
      carries: 'part of the record',
      filterByUpdate: true,
      hides: 'inactive people',
    },
  },
  {
    resource: 'Project Vendors',
    tool: 'Directory',
    scope: 'project',
    events: ['create', 'delete'],
    idRepeatsAcrossProjects: true,
    show: '/rest/v1.1/projects/{project_id}/vendors/{id}?view=extended',
    list: {
      path: '/rest/v1.1/projects/{project_id}/vendors',
      carries: 'whole record',
      showAll: { view: 'extended' },
      hides: 'inactive firms',
    },
  },
  {
    resource: 'Project Insurances',
    tool: 'Directory',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/insurances/{id}',
    list: { path: '/rest/v1.0/projects/{project_id}/insurances', carries: 'whole record' },
  },
];
