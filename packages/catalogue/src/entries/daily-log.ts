import type { CatalogueEntryInput } from '../catalogue-entry.ts';

/** What happened on site, day by day. Lists hold today's entries only, unless asked for other days (docs/procore.md: Days). */
export const dailyLog: CatalogueEntryInput[] = [
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
    resource: 'Weather Logs',
    tool: 'Daily Log',
    scope: 'project',
    events: ['create', 'update'],
    show: '/rest/v1.1/projects/{project_id}/daily_logs/weather_logs/{id}',
    list: {
      path: '/rest/v1.1/projects/{project_id}/daily_logs/weather_logs',
      carries: 'whole record',
      todayOnly: true,
    },
  },
  ...[
    ['Accident Logs', 'accident_logs'],
    ['Call Logs', 'call_logs'],
    ['Daily Construction Report Logs', 'daily_construction_report_logs'],
    ['Delivery Logs', 'delivery_logs'],
    ['Dumpster Logs', 'dumpster_logs'],
    ['Equipment Logs', 'equipment_logs'],
    ['Inspection Logs', 'inspection_logs'],
    ['Notes Logs', 'notes_logs'],
    ['Plan Revision Logs', 'plan_revision_logs'],
    ['Productivity Logs', 'productivity_logs'],
    ['Quantity Logs', 'quantity_logs'],
    ['Safety Violation Logs', 'safety_violation_logs'],
    ['Visitor Logs', 'visitor_logs'],
    ['Waste Logs', 'waste_logs'],
    ['Work Logs', 'work_logs'],
  ].map(
    ([resource = '', path]): CatalogueEntryInput => ({
      resource,
      tool: 'Daily Log',
      scope: 'project',
      events: ['create', 'update', 'delete'],
      show: `/rest/v1.0/projects/{project_id}/${path}/{id}`,
      list: { path: `/rest/v1.0/projects/{project_id}/${path}`, carries: 'whole record', todayOnly: true },
    }),
  ),
  {
    resource: 'Daily Logs',
    tool: 'Daily Log',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    unread: 'no endpoint is known; daily_log_headers may be it',
  },
  {
    resource: 'Daily Log/Entries',
    tool: 'Daily Log',
    scope: 'project',
    events: ['create', 'update', 'delete'],
    unread: 'no endpoint is known',
  },
  {
    resource: 'Timecard Time Types',
    tool: 'Field Productivity',
    scope: 'company',
    events: ['create', 'delete'],
    list: { path: '/rest/v1.0/companies/{company_id}/timecard_time_types', carries: 'whole record' },
  },
  {
    resource: 'Timecard Entries',
    tool: 'Field Productivity',
    alsoOpenedBy: ['Daily Log'],
    scope: 'project',
    events: ['create', 'update', 'delete'],
    show: '/rest/v1.0/projects/{project_id}/timecard_entries/{id}',
    list: {
      path: '/rest/v1.0/projects/{project_id}/timecard_entries',
      carries: 'whole record',
      todayOnly: true,
    },
    bin: { path: '/rest/v1.0/companies/{company_id}/timecard_entries', since: 'filters[deleted_at]' },
  },
];
