import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** The budget, and what changes it. */
export const budget: CatalogueEntryInput[] = [
  // There is no list; budget_views/{id}/detail_rows are of another shape.
  {
    resource: 'Budget Line Items',
    tool: 'Budget',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.1/budget_line_items/{id}?project_id={project_id}',
  },
  {
    resource: 'Budget Modifications',
    tool: 'Budget',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/budget_modifications/{id}',
    list: { path: '/rest/v1.0/projects/{project_id}/budget_modifications', carries: 'whole record' },
  },
  // The reference shows v2's wrapper on these v1 paths, list and show; what is usual for v1 is taken, too.
  {
    resource: 'Budget Changes',
    tool: 'Budget',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/budget_changes/{id}',
    showWrappers: ['data', 'none'],
    list: {
      path: '/rest/v1.0/projects/{project_id}/budget_changes',
      carries: 'part of the record',
      wrappers: ['data', 'none'],
    },
  },
  // Procore answers adjustments and their line items together, and names neither which is which nor that their ids are those
  // of events.
  {
    resource: 'Budget Change Adjustments',
    tool: 'Budget',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    list: {
      path: '/rest/v2.0/companies/{company_id}/projects/{project_id}/budget_changes/adjustment_line_items',
      carries: 'whole record',
      shared: true,
    },
  },
  {
    resource: 'Budget Change Adjustment Line Items',
    tool: 'Budget',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    list: {
      path: '/rest/v2.0/companies/{company_id}/projects/{project_id}/budget_changes/adjustment_line_items',
      carries: 'whole record',
      shared: true,
    },
  },
  {
    resource: 'Budget Change Production Quantities',
    tool: 'Budget',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    unread: 'no endpoint is known; a budget change shows them as production_quantities',
  },
  {
    resource: 'Budget View Snapshots',
    tool: 'Budget',
    scope: 'project',
    events: ['create'],
    list: { path: '/rest/v1.0/budget_view_snapshots?project_id={project_id}', carries: 'whole record' },
  },
];
