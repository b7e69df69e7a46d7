import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** Questions, submittals, instructions, and whatever a company makes a tool of its own for. */
export const correspondence: CatalogueEntryInput[] = [
  {
    resource: 'RFIs',
    tool: 'RFIs',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/rfis/{id}',
    list: {
      path: '/rest/v1.0/projects/{project_id}/rfis',
      carries: 'part of the record',
      filterByUpdate: true,
      filterByIds: 'filters[id][]',
    },
    bin: { path: '/rest/v1.0/projects/{project_id}/rfis/recycle_bin', since: 'filters[updated_at]' },
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
      filterByUpdate: true,
      filterByIds: 'filters[id][]',
    },
    bin: { path: '/rest/v1.1/projects/{project_id}/submittals/recycle_bin', since: 'filters[updated_at]' },
  },
  {
    resource: 'Submittal Packages',
    tool: 'Submittals',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    list: {
      path: '/rest/v1.0/projects/{project_id}/submittal_packages',
      carries: 'whole record',
      filterByUpdate: true,
      filterByIds: 'filters[id][]',
    },
  },
  // The list is of one tool, …/generic_tools/{generic_tool_id}/generic_tool_items, and tools send no events to know them by.
  {
    resource: 'Generic Tool Items',
    tool: 'Correspondence (Generic Tools)',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/generic_tool_items/{id}?project_id={project_id}',
  },
  {
    resource: 'Site Instructions',
    tool: 'Instructions',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    unread: 'no endpoint is known; …/instructions may be it',
  },
];
