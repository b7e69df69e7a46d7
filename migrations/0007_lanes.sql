CREATE TYPE "mirror"."lane" AS ENUM('live', 'detail', 'repair', 'backfill', 'verify');--> statement-breakpoint
CREATE TABLE "mirror"."budget_use" (
	"window_name" text NOT NULL,
	"company_id" bigint NOT NULL,
	"used" integer NOT NULL,
	"used_live" integer DEFAULT 0 NOT NULL,
	"used_live_before" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "budget_use_window_name_company_id_pk" PRIMARY KEY("window_name","company_id")
);
--> statement-breakpoint
ALTER TABLE "mirror"."batches" DROP CONSTRAINT "batches_key";--> statement-breakpoint
DROP INDEX "mirror"."pending_ready_at";--> statement-breakpoint
ALTER TABLE "mirror"."batches" ADD COLUMN "lane" "mirror"."lane" DEFAULT 'live' NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."budget" ADD COLUMN "known_by" text DEFAULT 'probe' NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."pending" ADD COLUMN "lane" "mirror"."lane" DEFAULT 'live' NOT NULL;--> statement-breakpoint
CREATE INDEX "batches_of_company" ON "mirror"."batches" USING btree ("lane","company_id","due_at");--> statement-breakpoint
CREATE INDEX "batches_leased" ON "mirror"."batches" USING btree ("lease_until") WHERE lease_until is not null;--> statement-breakpoint
CREATE INDEX "pending_ready_at" ON "mirror"."pending" USING btree ("company_id","project_id","resource","lane","ready_at");--> statement-breakpoint
ALTER TABLE "mirror"."batches" DROP COLUMN "is_detail";--> statement-breakpoint
ALTER TABLE "mirror"."budget" DROP COLUMN "is_confirmed";--> statement-breakpoint
ALTER TABLE "mirror"."batches" ADD CONSTRAINT "batches_key" UNIQUE NULLS NOT DISTINCT("company_id","project_id","resource","lane");