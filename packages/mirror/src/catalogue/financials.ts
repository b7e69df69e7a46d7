import type { CatalogueEntryInput } from './catalogue-entry.ts';

/** Commitments and what changes them. */
export const financials: CatalogueEntryInput[] = [
  {
    resource: 'Purchase Order Contracts',
    tool: 'Commitments',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/purchase_order_contracts/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/purchase_order_contracts?project_id={project_id}',
      carries: 'part of the record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Purchase Order Contract Line Items',
    tool: 'Commitments',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/purchase_order_contracts/{purchase_order_contract_id}/line_items/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/purchase_order_contracts/{purchase_order_contract_id}/line_items?project_id={project_id}',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
    },
    parent: { resource: 'Purchase Order Contracts', key: 'purchase_order_contract_id', repeatsChild: true },
  },
  {
    resource: 'Change Events',
    tool: 'Change Events',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.1/change_events/{id}?project_id={project_id}',
    list: { path: '/rest/v1.1/change_events?project_id={project_id}', carries: 'whole record' },
  },
  {
    resource: 'Change Event Line Items',
    tool: 'Change Events',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    parent: { resource: 'Change Events', key: 'change_event_id', embeddedAs: 'change_items', repeatsChild: true },
  },
  {
    resource: 'Change Order Change Reasons',
    tool: 'Change Orders',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    list: { path: '/rest/v2.0/companies/{company_id}/change_order_change_reasons', carries: 'whole record' },
  },
];
