import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** Building models and what clashes in them. */
export const models: CatalogueEntryInput[] = [
  {
    resource: 'Bim Models',
    tool: 'Models (BIM)',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/bim_models/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/bim_models?project_id={project_id}',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
      showAll: { view: 'extended' },
    },
  },
  {
    resource: 'Bim Model Revisions',
    tool: 'Models (BIM)',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/bim_model_revisions/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/bim_model_revisions?project_id={project_id}',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
      showAll: { view: 'extended' },
    },
  },
  {
    resource: 'Bim File Extractions',
    tool: 'Models (BIM)',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/bim_file_extractions/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/bim_file_extractions?project_id={project_id}',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Coordination Issues',
    tool: 'Coordination Issues',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/coordination_issues/{id}?project_id={project_id}&view=extended',
    list: {
      path: '/rest/v1.0/coordination_issues?project_id={project_id}',
      carries: 'whole record',
      filterByUpdate: true,
      showAll: { view: 'extended' },
    },
    bin: { path: '/rest/v1.0/coordination_issues/recycle_bin?project_id={project_id}', since: 'filters[updated_at]' },
  },
  {
    resource: 'Coordination Issue Activities',
    tool: 'Coordination Issues',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    list: {
      path: '/rest/v1.0/coordination_issue_activities?project_id={project_id}',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
      showAll: { view: 'extended' },
    },
    bin: { query: { 'filters[include_deleted]': 'only' } },
  },
];
