import type { CatalogueEntryInput } from './catalogue-entry.ts';

/** What happens on site: daily logs and drawings. */
export const field: CatalogueEntryInput[] = [
  {
    resource: 'Manpower Logs',
    tool: 'Daily Log',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/manpower_logs/{id}',
    list: {
      path: '/rest/v1.0/projects/{project_id}/manpower_logs',
      carries: 'whole record',
      todayOnly: true,
      showAll: { 'filters[status]': 'all' }, // else approved ones only
    },
  },
  {
    resource: 'Drawing Areas',
    tool: 'Drawings',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    list: {
      path: '/rest/v1.1/projects/{project_id}/drawing_areas',
      carries: 'whole record',
      filterByIds: 'filters[id]',
    },
  },
  {
    resource: 'Drawings',
    tool: 'Drawings',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    list: { path: '/rest/v1.1/drawing_areas/{drawing_area_id}/drawings', carries: 'whole record' },
    parent: { resource: 'Drawing Areas', key: 'drawing_area_id' },
  },
];
