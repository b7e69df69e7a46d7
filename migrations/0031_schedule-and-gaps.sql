DROP INDEX "mirror"."comparisons_differing";--> statement-breakpoint
ALTER TABLE "mirror"."comparisons" ADD COLUMN "differs_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."event_gaps" ADD COLUMN "because" text DEFAULT 'hook' NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."event_gaps" ADD COLUMN "heeded_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."scopes" ADD COLUMN "refused_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "event_gaps_open" ON "mirror"."event_gaps" USING btree ("company_id","until") WHERE heeded_at is null;--> statement-breakpoint
CREATE INDEX "comparisons_differing" ON "mirror"."comparisons" USING btree ("company_id","next_listing_at") WHERE state = 'done' and differs_since is not null;