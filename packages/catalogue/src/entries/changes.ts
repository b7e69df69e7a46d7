import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** Change events and change orders. */
export const changes: CatalogueEntryInput[] = [
  {
    resource: 'Change Types',
    tool: 'Change Events',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    list: { path: '/rest/v1.0/change_types?company_id={company_id}', carries: 'whole record' },
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
  {
    resource: 'Change Order Packages',
    tool: 'Change Orders',
    alsoOpenedBy: ['Commitments', 'Prime Contracts'],
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/change_order_packages/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/change_order_packages?project_id={project_id}',
      carries: 'part of the record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Change Order Requests',
    tool: 'Change Orders',
    alsoOpenedBy: ['Commitments', 'Prime Contracts'],
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/change_order_requests/{id}?project_id={project_id}&contract_id={contract_id}',
    list: {
      path: '/rest/v1.0/change_order_requests?project_id={project_id}&contract_id={contract_id}',
      carries: 'part of the record',
      filterByIds: 'filters[id][]',
    },
    parent: {
      resource: 'Purchase Order Contracts',
      alsoOf: ['Work Order Contracts', 'Prime Contracts'],
      key: 'contract_id',
      namedBy: 'contract_id',
    },
  },
  {
    resource: 'Potential Change Orders',
    tool: 'Change Orders',
    alsoOpenedBy: ['Commitments', 'Prime Contracts'],
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/potential_change_orders/{id}?project_id={project_id}&contract_id={contract_id}',
    // Of all contracts; each item names its own.
    list: {
      path: '/rest/v1.0/potential_change_orders?project_id={project_id}',
      carries: 'part of the record',
      filterByIds: 'filters[id][]',
    },
    parent: {
      resource: 'Purchase Order Contracts',
      alsoOf: ['Work Order Contracts', 'Prime Contracts'],
      key: 'contract_id',
      namedBy: 'contract_id',
    },
  },
  {
    resource: 'Potential Change Order Line Items',
    tool: 'Change Orders',
    alsoOpenedBy: ['Commitments', 'Prime Contracts'],
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/potential_change_orders/{potential_change_order_id}/line_items/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/potential_change_orders/{potential_change_order_id}/line_items?project_id={project_id}',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
    },
    parent: { resource: 'Potential Change Orders', key: 'potential_change_order_id', repeatsChild: true },
  },
];
