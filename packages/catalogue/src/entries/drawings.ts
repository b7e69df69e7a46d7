import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** Drawings and specifications. */
export const drawings: CatalogueEntryInput[] = [
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
  {
    resource: 'Drawing Sets',
    tool: 'Drawings',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    list: { path: '/rest/v1.0/projects/{project_id}/drawing_sets', carries: 'whole record' },
  },
  {
    resource: 'Drawing Uploads',
    tool: 'Drawings',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.1/projects/{project_id}/drawing_uploads/{id}',
    list: { path: '/rest/v1.1/projects/{project_id}/drawing_uploads', carries: 'whole record' },
  },
  {
    resource: 'Markup Layers',
    tool: 'Drawings',
    scope: 'project',
    events: ['create', 'update'],
    unread: 'no endpoint is known; …/layers of Document Markup may be it',
  },
  {
    resource: 'Pdf Download Pages',
    tool: 'Drawings',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    unread: 'no endpoint is known',
  },
  {
    resource: 'Specification Areas',
    tool: 'Specifications',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    list: {
      path: '/rest/v2.1/companies/{company_id}/projects/{project_id}/specification_areas',
      carries: 'whole record',
    },
  },
  {
    resource: 'Specification Sets',
    tool: 'Specifications',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/specification_sets/{id}',
    list: { path: '/rest/v1.0/projects/{project_id}/specification_sets', carries: 'whole record' },
  },
  {
    resource: 'Specification Section Divisions',
    tool: 'Specifications',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    list: { path: '/rest/v1.0/specification_section_divisions?project_id={project_id}', carries: 'whole record' },
  },
  {
    resource: 'Specification Sections',
    tool: 'Specifications',
    scope: 'project',
    events: ['create', 'update'],
    list: {
      path: '/rest/v1.0/specification_sections?project_id={project_id}',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
    },
  },
  {
    resource: 'Specification Section Revisions',
    tool: 'Specifications',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/specification_section_revisions/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/specification_section_revisions?project_id={project_id}&specification_section_division_id={specification_section_division_id}',
      carries: 'part of the record',
      under: { resource: 'Specification Section Divisions', key: 'specification_section_division_id' },
    },
  },
];
