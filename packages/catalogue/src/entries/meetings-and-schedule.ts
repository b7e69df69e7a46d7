import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** Meetings, tasks and the schedule. */
export const meetingsAndSchedule: CatalogueEntryInput[] = [
  {
    resource: 'Meetings',
    tool: 'Meetings',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.1/projects/{project_id}/meetings/{id}',
    // Grouped: [{group_title, meetings: […]}], with little of each meeting.
    list: {
      path: '/rest/v1.1/projects/{project_id}/meetings',
      carries: 'part of the record',
      filterByIds: 'filters[id][]',
      within: 'meetings',
    },
    bin: { query: { deleted_only: 'true' } },
  },
  {
    resource: 'Meeting Attendees',
    tool: 'Meetings',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    parent: { resource: 'Meetings', key: 'meeting_id', embeddedAs: 'attendees', repeatsChild: true },
  },
  {
    resource: 'Meeting Categories',
    tool: 'Meetings',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    list: {
      path: '/rest/v1.0/meeting_categories?project_id={project_id}&meeting_id={meeting_id}',
      carries: 'whole record',
    },
    parent: { resource: 'Meetings', key: 'meeting_id', repeatsChild: true },
  },
  {
    resource: 'Meeting Topics',
    tool: 'Meetings',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    parent: {
      resource: 'Meetings',
      key: 'meeting_id',
      embeddedAs: 'meeting_categories.meeting_topic',
      repeatsChild: true,
    },
  },
  {
    resource: 'Task Items',
    tool: 'Tasks',
    scope: 'project',
    events: ['create', 'update'],
    show: '/rest/v1.0/task_items/{id}?project_id={project_id}',
    list: {
      path: '/rest/v1.0/task_items?project_id={project_id}',
      carries: 'whole record',
      filterByIds: 'filters[id][]',
      showAll: { view: 'extended' },
    },
  },
  {
    resource: 'Tasks',
    tool: 'Schedule',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/tasks/{id}?project_id={project_id}',
    list: { path: '/rest/v1.0/tasks?project_id={project_id}', carries: 'whole record', filterByUpdate: true },
  },
  // docs/decisions/023-deprecated-reads.md
  {
    resource: 'ToDos',
    tool: 'Schedule',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    unread:
      'its only endpoint is deprecated; calendar items replace it, but whether their ids are the same is not said',
  },
];
