import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** Codes and types that costs are booked under. */
export const workBreakdown: CatalogueEntryInput[] = [
  // The list is deprecated, the show is not (docs/decisions/023-deprecated-reads.md).
  {
    resource: 'Standard Cost Code Lists',
    tool: 'Work Breakdown Structure',
    scope: 'company',
    events: ['create'],
    show: '/rest/v1.0/standard_cost_code_lists/{id}?company_id={company_id}',
  },
  // The default view holds nothing but two ids.
  {
    resource: 'Standard Cost Codes',
    tool: 'Work Breakdown Structure',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/standard_cost_codes/{id}?company_id={company_id}&standard_cost_code_list_id={standard_cost_code_list_id}&view=extended',
    list: {
      path: '/rest/v1.0/standard_cost_codes?company_id={company_id}&standard_cost_code_list_id={standard_cost_code_list_id}',
      carries: 'whole record',
      showAll: { view: 'extended' },
    },
    parent: {
      resource: 'Standard Cost Code Lists',
      key: 'standard_cost_code_list_id',
      namedBy: 'standard_cost_code_list_id',
    },
  },
  {
    resource: 'Line Item Types',
    tool: 'Work Breakdown Structure (cost types)',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/line_item_types/{id}?company_id={company_id}',
    list: { path: '/rest/v1.0/line_item_types?company_id={company_id}', carries: 'whole record' },
  },
  {
    resource: 'Cost Codes',
    tool: 'Work Breakdown Structure',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/cost_codes/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/cost_codes?project_id={project_id}',
      carries: 'part of the record',
      filterByIds: 'filters[id]',
    },
  },
  {
    resource: 'Sub Jobs',
    tool: 'Work Breakdown Structure',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/sub_jobs/{id}?project_id={project_id}',
    list: { path: '/rest/v1.0/sub_jobs?project_id={project_id}', carries: 'whole record' },
  },
];
