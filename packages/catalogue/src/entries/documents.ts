import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** Files, folders and photos. */
export const documents: CatalogueEntryInput[] = [
  {
    resource: 'Company Files',
    tool: 'Documents',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/companies/{company_id}/files/{id}',
    list: {
      path: '/rest/v1.0/companies/{company_id}/documents',
      carries: 'part of the record',
      filterByUpdate: true,
      showAll: { 'filters[document_type]': 'file' },
    },
    bin: { query: { 'filters[is_in_recycle_bin]': 'true' }, since: 'filters[updated_at]' },
  },
  {
    resource: 'Company Folders',
    tool: 'Documents',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/companies/{company_id}/folders/{id}',
    list: {
      path: '/rest/v1.0/companies/{company_id}/documents',
      carries: 'part of the record',
      filterByUpdate: true,
      showAll: { 'filters[document_type]': 'folder' },
    },
    bin: { query: { 'filters[is_in_recycle_bin]': 'true' }, since: 'filters[updated_at]' },
  },
  {
    resource: 'Company File Versions',
    tool: 'Documents',
    scope: 'company',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/companies/{company_id}/file_versions/{id}',
  },
  {
    resource: 'Project Files',
    tool: 'Documents',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/files/{id}?project_id={project_id}',
    // An index of files and folders together.
    list: {
      path: '/rest/v1.0/projects/{project_id}/documents',
      carries: 'part of the record',
      filterByUpdate: true,
      showAll: { 'filters[document_type]': 'file' },
    },
    bin: { query: { 'filters[is_in_recycle_bin]': 'true' }, since: 'filters[updated_at]' },
  },
  {
    resource: 'Project Folders',
    tool: 'Documents',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/folders/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/projects/{project_id}/documents',
      carries: 'part of the record',
      filterByUpdate: true,
      showAll: { 'filters[document_type]': 'folder' },
    },
    bin: { query: { 'filters[is_in_recycle_bin]': 'true' }, since: 'filters[updated_at]' },
  },
  {
    resource: 'Project File Versions',
    tool: 'Documents',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/file_versions/{id}?project_id={project_id}',
  },
  // Shown by the same endpoint as Project File Versions; what distinguishes the two is not documented.
  {
    resource: 'File Versions',
    tool: 'Documents',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/file_versions/{id}?project_id={project_id}',
  },
  // A type of v4.0 only, with ULIDs and with reasons of its own.
  {
    resource: 'Document Upload',
    tool: 'Document Management',
    scope: 'project',
    events: ['created', 'completed'],
    idType: 'text',
    show: '/rest/v2.0/companies/{company_id}/projects/{project_id}/document_management/document_uploads/{id}',
    list: {
      path: '/rest/v2.0/companies/{company_id}/projects/{project_id}/document_management/document_uploads',
      carries: 'part of the record',
    },
  },
  {
    resource: 'Image Categories',
    tool: 'Photos',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/image_categories/{id}?project_id={project_id}',
    list: { path: '/rest/v1.0/image_categories?project_id={project_id}', carries: 'part of the record' },
  },
  {
    resource: 'Images',
    tool: 'Photos',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/images/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/images?project_id={project_id}',
      carries: 'part of the record',
      filterByUpdate: true,
      filterByIds: 'filters[id][]',
    },
  },
];
