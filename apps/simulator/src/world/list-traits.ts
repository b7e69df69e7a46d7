// What Procore's lists leave out, hide or understand beyond what the catalogue says of them
// (docs/procore.md: What lists leave out). Keys are those of the API reference of 2026.

export type ListTraits = {
  /** Keys of show that a list item lacks. */
  lacks?: readonly string[];
  /** Keys that only a list item has. */
  adds?: Readonly<Record<string, unknown>>;
  /** The field that is true for the records a list shows by default. */
  activeField?: 'active' | 'is_active';
  /** Where the inactive ones are listed. */
  inactivePath?: string;
  /** Takes `filters[id]` with one id, no list. */
  singleId?: boolean;
  /** Shows approved entries only, unless `filters[status]=all`. */
  approvedOnly?: boolean;
  maxPerPage?: number;
  /** What `filters[document_type]` calls these, in a list of files and folders together. */
  documentType?: 'file' | 'folder';
  /** The answer is one object, with this key beside the list; else a list of groups, where the entry says so at all. */
  beside?: string;
  /** Show and list answer `{"data": …}` although the path is of v1. */
  inData?: boolean;
};

const people = ['default_permission_template_id', 'company_permission_template_id', 'role'];

const traits: Record<string, ListTraits> = {
  Projects: {
    lacks: ['code', 'inbound_email_address', 'is_erp_integrated', 'project_stage_id', 'template'],
    activeField: 'active',
    maxPerPage: 300,
  },
  'Company Users': {
    lacks: people,
    activeField: 'is_active',
    inactivePath: '/rest/v1.0/companies/{company_id}/users/inactive',
  },
  'Project Users': { lacks: people, activeField: 'is_active', singleId: true },
  'Company Vendors': {
    lacks: ['attachments', 'contact_count', 'contract_signer', 'invoice_contacts'],
    activeField: 'is_active',
    inactivePath: '/rest/v1.0/companies/{company_id}/vendors/inactive',
  },
  'Project Vendors': { activeField: 'is_active' },
  RFIs: {
    lacks: [
      ...['accepted', 'ball_in_court_role', 'custom_textfield_1', 'custom_textfield_2', 'distribution_list', 'draft'],
      ...['drawing_ids', 'drawing_number', 'specification_section'],
    ],
  },
  Submittals: {
    lacks: [
      ...['attachments', 'attachments_count', 'cost_code', 'custom_textarea_1', 'custom_textfield_1', 'description'],
      ...['rich_text_description', 'distributed_submittals', 'lead_time', 'buffer_time', 'design_team_review_time'],
      ...['internal_review_time', 'prepare_time', 'is_rejected', 'operation_item_errors', 'for_record_only', 'sub_job'],
      ...['rejected_submittal_log_approver_id', 'source_submittal_log_id', 'confirmed_delivery_date', 'open_date'],
    ],
    adds: { linked_drawing_ids: [], associated_attachments: [] },
  },
  'Punch Items': {
    lacks: [
      ...['attachments', 'comments', 'distribution_members', 'drawing_ids', 'current_drawing_revision_ids', 'images'],
      ...['web_images', 'rich_text_description', 'date_initiated', 'can_email', 'download_all_attachments_uuid'],
      ...['category', 'custom_status_id', 'custom_status'],
    ],
    adds: { has_resolved_responses: false, has_unresolved_responses: false, assignees: [] },
  },
  'Purchase Order Contracts': {
    lacks: [
      ...['attachments', 'line_items', 'change_order_packages', 'change_order_requests', 'potential_change_orders'],
      ...['payments_issued', 'invoice_contacts', 'created_by_id'],
    ],
  },
  Incidents: { maxPerPage: 1000 },
  'Manpower Logs': { approvedOnly: true },
  'Direct Cost Line Items': { lacks: ['change_event_line_item', 'company', 'origin_data'] },
  'Project Files': { documentType: 'file' },
  'Project Folders': { documentType: 'folder' },
  'Company Files': { documentType: 'file' },
  'Company Folders': { documentType: 'folder' },
  'Project Dates': { beside: 'schedule_dates' },
  // The reference of v1.0 shows both so: operations RestV10ProjectsProjectIdBudgetChanges(Id)Get.
  'Budget Changes': { inData: true },
};

/** What is known of the list of this resource; an empty object for most. */
export function listTraits(resource: string): ListTraits {
  return traits[resource] ?? {};
}

/** Resources that cannot be deleted, only made inactive, and the field that says so. */
export function activeField(resource: string): 'active' | 'is_active' | undefined {
  return traits[resource]?.activeField === undefined || resource.startsWith('Project ')
    ? undefined
    : traits[resource].activeField;
}
