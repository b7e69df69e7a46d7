DROP INDEX "mirror"."batches_of_company";--> statement-breakpoint
DROP INDEX "mirror"."pending_ready_at";--> statement-breakpoint
ALTER TABLE "mirror"."batches" ADD COLUMN "worth" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."pending" ADD COLUMN "worth" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "batches_by_worth" ON "mirror"."batches" USING btree ("lane","company_id","worth","due_at");--> statement-breakpoint
CREATE INDEX "pending_by_worth" ON "mirror"."pending" USING btree ("company_id","project_id","resource","lane","worth","ready_at");