import type { CatalogueEntryInput } from './catalogue-entry.ts';

/** RFIs, submittals, punch list, inspections. */
export const projectManagement: CatalogueEntryInput[] = [
  {
    resource: 'RFIs',
    tool: 'RFIs',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/rfis/{id}',
    list: {
      path: '/rest/v1.0/projects/{project_id}/rfis',
      carries: 'part of the record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'RFI Replies',
    tool: 'RFIs',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/rfis/{rfi_id}/replies/{id}',
    list: { path: '/rest/v1.0/projects/{project_id}/rfis/{rfi_id}/replies', carries: 'whole record' },
    parent: { resource: 'RFIs', key: 'rfi_id', repeatsChild: true },
  },
  {
    resource: 'Submittals',
    tool: 'Submittals',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.1/projects/{project_id}/submittals/{id}',
    list: {
      path: '/rest/v1.1/projects/{project_id}/submittals',
      carries: 'part of the record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Punch Items',
    tool: 'Punch List',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.1/punch_items/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.1/punch_items?project_id={project_id}',
      carries: 'part of the record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Inspection Checklists',
    tool: 'Inspections',
    scope: 'project',
    events: ['create', 'update'],
    show: '/rest/v1.0/projects/{project_id}/checklist/lists/{id}',
    list: {
      path: '/rest/v1.0/projects/{project_id}/checklist/lists',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
    },
  },
];
