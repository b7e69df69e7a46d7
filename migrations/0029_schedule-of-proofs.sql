ALTER TABLE "mirror"."comparisons" ADD COLUMN "shows" integer;--> statement-breakpoint
ALTER TABLE "mirror"."comparisons" ADD COLUMN "next_cheap_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."comparisons" ADD COLUMN "next_listing_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "comparisons_next_cheap" ON "mirror"."comparisons" USING btree ("company_id","next_cheap_at") WHERE state in ('done', 'off');--> statement-breakpoint
CREATE INDEX "comparisons_next_listing" ON "mirror"."comparisons" USING btree ("company_id","next_listing_at") WHERE state in ('done', 'off');--> statement-breakpoint
CREATE INDEX "comparisons_differing" ON "mirror"."comparisons" USING btree ("company_id","next_listing_at") WHERE state = 'done' and outcome = 'differs';