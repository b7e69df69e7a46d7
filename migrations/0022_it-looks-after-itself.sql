ALTER TYPE "mirror"."lane" ADD VALUE 'upkeep' BEFORE 'backfill';--> statement-breakpoint
ALTER TYPE "mirror"."lane" ADD VALUE 'poll' BEFORE 'backfill';--> statement-breakpoint
ALTER TYPE "mirror"."lane" ADD VALUE 'files';--> statement-breakpoint
CREATE TABLE "mirror"."hooks" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"payload_version" text NOT NULL,
	"hook_id" text,
	"status" text,
	"destination_url" text,
	"trigger_count" integer,
	"secret_key" text,
	"not_offered" text[] DEFAULT '{}' NOT NULL,
	"refused" text[] DEFAULT '{}' NOT NULL,
	"looked_at" timestamp with time zone,
	"triggers_listed_at" timestamp with time zone,
	"finding" text,
	CONSTRAINT "hooks_scope" UNIQUE NULLS NOT DISTINCT("company_id","project_id","payload_version")
);
--> statement-breakpoint
CREATE TABLE "mirror"."selection" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"name" text,
	"is_active" boolean DEFAULT true NOT NULL,
	"is_selected" boolean NOT NULL,
	"selected_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp with time zone,
	"left_at" timestamp with time zone,
	"announced_at" timestamp with time zone,
	CONSTRAINT "selection_scope" UNIQUE NULLS NOT DISTINCT("company_id","project_id")
);
--> statement-breakpoint
CREATE TABLE "mirror"."workers" (
	"holder" text PRIMARY KEY NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"stopped_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "request" text;--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "requested_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "position" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "total" bigint;--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "calls" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "place" jsonb;--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "due_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "lease_holder" text;--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "lease_until" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "hooks_looked_at" ON "mirror"."hooks" USING btree ("looked_at");--> statement-breakpoint
CREATE INDEX "backfills_open" ON "mirror"."backfills" USING btree ("position","due_at") WHERE state in ('waiting', 'running');