import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** Direct costs, bids, and the exchange with accounting. */
export const costs: CatalogueEntryInput[] = [
  {
    resource: 'Direct Costs',
    tool: 'Direct Costs',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.1/projects/{project_id}/direct_costs/{id}',
    list: {
      path: '/rest/v1.1/projects/{project_id}/direct_costs',
      carries: 'part of the record',
      filterByUpdate: true,
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Direct Cost Line Items',
    tool: 'Direct Costs',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/direct_costs/{direct_cost_id}/line_items/{id}',
    // Of all direct costs; lacks change_event_line_item, company and origin_data.
    list: {
      path: '/rest/v1.0/projects/{project_id}/direct_costs/line_items',
      carries: 'part of the record',
      filterByUpdate: true,
      filterByIds: 'filters[id][]',
    },
    parent: { resource: 'Direct Costs', key: 'direct_cost_id', namedBy: 'holder.id', repeatsChild: true },
  },
  {
    resource: 'Company Direct Cost Line Items',
    tool: 'Direct Costs',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    unread: 'no endpoint is known',
  },
  {
    resource: 'Bids',
    tool: 'Bid Management',
    scope: 'company',
    events: ['update'],
    show: '/rest/v1.0/companies/{company_id}/bids/{id}',
    list: { path: '/rest/v1.0/companies/{company_id}/bids', carries: 'part of the record' },
  },
  {
    resource: 'ERP Requests',
    tool: 'ERP Integrations',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    unread: 'no endpoint is known; Show ERP Request is documented without its path',
  },
];
