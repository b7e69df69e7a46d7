ALTER TABLE "procore"."projects" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."projects" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."projects" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."offices" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."offices" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."offices" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."programs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."programs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."programs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_bid_types" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_bid_types" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_bid_types" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_owner_types" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_owner_types" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_owner_types" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_regions" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_regions" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_regions" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_stages" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_stages" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_stages" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_types" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_types" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_types" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."trades" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."trades" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."trades" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."locations" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."locations" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."locations" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_dates" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_dates" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_dates" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."company_users" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."company_users" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."company_users" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."company_vendors" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."company_vendors" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."company_vendors" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."departments" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."departments" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."departments" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."company_insurances" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."company_insurances" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."company_insurances" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_users" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_users" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_users" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_vendors" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_vendors" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_vendors" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_insurances" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_insurances" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_insurances" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."standard_cost_code_lists" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."standard_cost_code_lists" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."standard_cost_code_lists" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."standard_cost_codes" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."standard_cost_codes" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."standard_cost_codes" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."line_item_types" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."line_item_types" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."line_item_types" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."cost_codes" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."cost_codes" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."cost_codes" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."sub_jobs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."sub_jobs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."sub_jobs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."budget_line_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."budget_line_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."budget_line_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."budget_modifications" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."budget_modifications" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."budget_modifications" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."budget_changes" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."budget_changes" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."budget_changes" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."budget_change_adjustments" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."budget_change_adjustments" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."budget_change_adjustments" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."budget_change_adjustment_line_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."budget_change_adjustment_line_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."budget_change_adjustment_line_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."budget_view_snapshots" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."budget_view_snapshots" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."budget_view_snapshots" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."purchase_order_contracts" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."purchase_order_contracts" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."purchase_order_contracts" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."purchase_order_contract_line_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."purchase_order_contract_line_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."purchase_order_contract_line_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."work_order_contracts" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."work_order_contracts" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."work_order_contracts" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."work_order_contract_line_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."work_order_contract_line_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."work_order_contract_line_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."prime_contracts" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."prime_contracts" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."prime_contracts" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."prime_contract_line_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."prime_contract_line_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."prime_contract_line_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."payment_applications" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."payment_applications" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."payment_applications" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."contract_payments" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."contract_payments" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."contract_payments" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."rfqs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."rfqs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."rfqs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."rfq_quotes" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."rfq_quotes" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."rfq_quotes" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."rfq_responses" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."rfq_responses" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."rfq_responses" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."change_types" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."change_types" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."change_types" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."change_events" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."change_events" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."change_events" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."change_event_line_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."change_event_line_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."change_event_line_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."change_order_change_reasons" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."change_order_change_reasons" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."change_order_change_reasons" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."change_order_packages" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."change_order_packages" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."change_order_packages" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."change_order_requests" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."change_order_requests" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."change_order_requests" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."potential_change_orders" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."potential_change_orders" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."potential_change_orders" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."potential_change_order_line_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."potential_change_order_line_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."potential_change_order_line_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."direct_costs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."direct_costs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."direct_costs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."direct_cost_line_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."direct_cost_line_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."direct_cost_line_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."bids" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."bids" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."bids" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."company_files" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."company_files" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."company_files" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."company_folders" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."company_folders" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."company_folders" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."company_file_versions" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."company_file_versions" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."company_file_versions" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_files" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_files" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_files" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_folders" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_folders" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_folders" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."project_file_versions" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."project_file_versions" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."project_file_versions" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."file_versions" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."file_versions" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."file_versions" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."document_upload" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."document_upload" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."document_upload" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."image_categories" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."image_categories" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."image_categories" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."images" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."images" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."images" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."drawing_areas" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."drawing_areas" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."drawing_areas" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."drawings" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."drawings" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."drawings" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."drawing_sets" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."drawing_sets" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."drawing_sets" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."drawing_uploads" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."drawing_uploads" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."drawing_uploads" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."specification_areas" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."specification_areas" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."specification_areas" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."specification_sets" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."specification_sets" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."specification_sets" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."specification_section_divisions" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."specification_section_divisions" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."specification_section_divisions" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."specification_sections" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."specification_sections" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."specification_sections" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."specification_section_revisions" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."specification_section_revisions" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."specification_section_revisions" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."bim_models" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."bim_models" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."bim_models" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."bim_model_revisions" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."bim_model_revisions" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."bim_model_revisions" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."bim_file_extractions" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."bim_file_extractions" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."bim_file_extractions" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."coordination_issues" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."coordination_issues" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."coordination_issues" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."coordination_issue_activities" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."coordination_issue_activities" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."coordination_issue_activities" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."rfis" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."rfis" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."rfis" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."rfi_replies" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."rfi_replies" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."rfi_replies" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."submittals" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."submittals" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."submittals" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."submittal_packages" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."submittal_packages" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."submittal_packages" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."generic_tool_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."generic_tool_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."generic_tool_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."punch_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."punch_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."punch_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."inspection_checklists" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."inspection_checklists" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."inspection_checklists" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."observation_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."observation_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."observation_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."observation_item_response_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."observation_item_response_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."observation_item_response_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."incidents" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."incidents" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."incidents" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."form_templates" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."form_templates" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."form_templates" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."forms" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."forms" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."forms" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."meetings" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."meetings" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."meetings" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."meeting_attendees" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."meeting_attendees" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."meeting_attendees" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."meeting_categories" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."meeting_categories" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."meeting_categories" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."meeting_topics" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."meeting_topics" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."meeting_topics" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."task_items" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."task_items" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."task_items" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."tasks" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."tasks" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."tasks" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."todos" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."todos" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."todos" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."manpower_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."manpower_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."manpower_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."weather_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."weather_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."weather_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."accident_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."accident_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."accident_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."call_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."call_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."call_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."daily_construction_report_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."daily_construction_report_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."daily_construction_report_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."delivery_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."delivery_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."delivery_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."dumpster_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."dumpster_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."dumpster_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."equipment_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."equipment_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."equipment_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."inspection_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."inspection_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."inspection_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."notes_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."notes_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."notes_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."plan_revision_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."plan_revision_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."plan_revision_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."productivity_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."productivity_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."productivity_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."quantity_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."quantity_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."quantity_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."safety_violation_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."safety_violation_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."safety_violation_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."visitor_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."visitor_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."visitor_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."waste_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."waste_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."waste_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."work_logs" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."work_logs" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."work_logs" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."timecard_time_types" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."timecard_time_types" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."timecard_time_types" ADD COLUMN "_changed_version" bigint;--> statement-breakpoint
ALTER TABLE "procore"."timecard_entries" ADD COLUMN "_hash" "bytea";--> statement-breakpoint
ALTER TABLE "procore"."timecard_entries" ADD COLUMN "_changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "procore"."timecard_entries" ADD COLUMN "_changed_version" bigint;