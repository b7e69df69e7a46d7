import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** Quality and safety: punch list, inspections, observations, incidents, forms. */
export const quality: CatalogueEntryInput[] = [
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
  {
    resource: 'Observation Items',
    tool: 'Observations',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/observations/items/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/observations/items?project_id={project_id}',
      carries: 'part of the record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Observation Item Response Logs',
    tool: 'Observations',
    scope: 'project',
    events: ['create'],
    list: {
      path: '/rest/v1.0/projects/{project_id}/observations/response_logs',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Incidents',
    tool: 'Incidents',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/incidents/{id}',
    list: {
      path: '/rest/v1.0/projects/{project_id}/incidents',
      carries: 'part of the record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Form Templates',
    tool: 'Forms',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/companies/{company_id}/form_templates/{id}',
    list: {
      path: '/rest/v1.0/companies/{company_id}/form_templates',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Forms',
    tool: 'Forms',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/forms/{id}',
    list: { path: '/rest/v1.1/projects/{project_id}/forms', carries: 'whole record', filterByIds: 'filters[id][]' },
  },
];
