ALTER TABLE "mirror"."batches" ADD COLUMN "first_due_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."batches" ADD COLUMN "is_detail" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."pending" ADD COLUMN "listed_generation" bigint;--> statement-breakpoint
ALTER TABLE "procore"."projects" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."trades" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."locations" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."company_users" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."company_vendors" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."project_users" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."rfis" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."rfi_replies" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."submittals" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."punch_items" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."inspection_checklists" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."purchase_order_contracts" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."purchase_order_contract_line_items" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."change_events" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."change_event_line_items" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."change_order_change_reasons" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."manpower_logs" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."drawing_areas" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "procore"."drawings" ADD COLUMN "_complete" boolean DEFAULT false NOT NULL;