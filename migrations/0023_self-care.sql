CREATE TABLE "mirror"."budget_lanes" (
	"lane" "mirror"."lane" PRIMARY KEY NOT NULL,
	"asked_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mirror"."budget_owner" (
	"one" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"owner" text,
	"answers" integer DEFAULT 0 NOT NULL,
	"because" text,
	"settled_at" timestamp with time zone,
	CONSTRAINT "budget_owner_one" CHECK ("mirror"."budget_owner"."one")
);
--> statement-breakpoint
CREATE TABLE "mirror"."duties" (
	"name" text PRIMARY KEY NOT NULL,
	"lease_holder" text NOT NULL,
	"lease_until" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mirror"."origin" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"environment" text NOT NULL,
	"noted_at" timestamp with time zone DEFAULT now() NOT NULL,
	"reset_at" timestamp with time zone
);
--> statement-breakpoint
DROP INDEX "mirror"."batches_of_company";--> statement-breakpoint
DROP INDEX "mirror"."pending_ready_at";--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "parents" jsonb;--> statement-breakpoint
ALTER TABLE "mirror"."batches" ADD COLUMN "worth" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."budget" ADD COLUMN "calls" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."budget" ADD COLUMN "calls_of_others" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."budget" ADD COLUMN "lane_calls" integer[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."budget_use" ADD COLUMN "said_limit" integer;--> statement-breakpoint
ALTER TABLE "mirror"."budget_use" ADD COLUMN "said_remaining" integer[];--> statement-breakpoint
ALTER TABLE "mirror"."budget_use" ADD COLUMN "said_reset_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."budget_use" ADD COLUMN "said_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."callers" ADD COLUMN "under_way_of" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."hooks" ADD COLUMN "wanted_key" text;--> statement-breakpoint
ALTER TABLE "mirror"."pending" ADD COLUMN "worth" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."selection" ADD COLUMN "forgotten_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "batches_by_worth" ON "mirror"."batches" USING btree ("lane","company_id","worth","due_at");--> statement-breakpoint
CREATE INDEX "pending_by_worth" ON "mirror"."pending" USING btree ("company_id","project_id","resource","lane","worth","ready_at");--> statement-breakpoint
-- They are told whose calls are under way now; their files in packages/database/src/migrate/functions/ follow.
DROP FUNCTION IF EXISTS "mirror"."take_calls"(text, integer, bigint[], "mirror"."lane"[]);
--> statement-breakpoint
DROP FUNCTION IF EXISTS "mirror"."learn_limits"(bigint, double precision, boolean, bigint, bigint, double precision);
