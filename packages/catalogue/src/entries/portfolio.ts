import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** The company itself: its projects, and the lists its administrators keep. */
export const portfolio: CatalogueEntryInput[] = [
  {
    resource: 'Projects',
    tool: 'Portfolio',
    scope: 'company',
    events: ['create', 'update'],
    show: '/rest/v1.0/projects/{id}?company_id={company_id}',
    // The list lacks code, inbound_email_address, is_erp_integrated and others.
    list: {
      path: '/rest/v1.1/projects?company_id={company_id}',
      carries: 'part of the record',
      filterByUpdate: true,
      filterByIds: 'filters[id][]',
      showAll: { 'filters[by_status]': 'All' }, // else active ones only
      hides: 'projects that the service account is not permitted to see',
    },
  },
  {
    resource: 'Offices',
    tool: 'Company Admin',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/offices/{id}?company_id={company_id}',
    list: {
      path: '/rest/v1.0/offices?company_id={company_id}',
      carries: 'whole record',
      showAll: { view: 'extended' },
    },
  },
  {
    resource: 'Programs',
    tool: 'Company Admin',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/companies/{company_id}/programs/{id}',
    list: { path: '/rest/v1.0/companies/{company_id}/programs', carries: 'part of the record' },
  },
  ...[
    ['Project Bid Types', 'project_bid_types'],
    ['Project Owner Types', 'project_owner_types'],
    ['Project Regions', 'project_regions'],
    ['Project Stages', 'project_stages'],
    ['Project Types', 'project_types'],
  ].map(
    ([resource = '', path]): CatalogueEntryInput => ({
      resource,
      tool: 'Company Admin',
      scope: 'company',
      events: ['create', 'update', 'delete'],
      show: `/rest/v1.0/companies/{company_id}/${path}/{id}`,
      list: { path: `/rest/v1.0/companies/{company_id}/${path}`, carries: 'whole record' },
    }),
  ),
  {
    resource: 'Trades',
    tool: 'Company Admin',
    scope: 'company',
    events: ['create', 'delete'],
    show: '/rest/v1.0/companies/{company_id}/trades/{id}',
    list: { path: '/rest/v1.0/companies/{company_id}/trades', carries: 'whole record', filterByUpdate: true },
  },
  {
    resource: 'Locations',
    tool: 'Admin',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/locations/{id}',
    list: {
      path: '/rest/v1.0/projects/{project_id}/locations',
      carries: 'whole record',
      filterByUpdate: true,
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Project Dates',
    tool: 'Admin',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/project_dates/{id}',
    // The answer is {schedule_dates, project_dates: […]}, so it is read for ids only.
    list: {
      path: '/rest/v1.0/projects/{project_id}/project_dates',
      carries: 'part of the record',
      within: 'project_dates',
    },
  },
];
