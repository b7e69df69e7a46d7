CREATE TABLE "mirror"."count_changes" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text,
	"kind" text NOT NULL,
	"part" text,
	"total" bigint DEFAULT 0 NOT NULL,
	"live" bigint DEFAULT 0 NOT NULL,
	"parts" bigint DEFAULT 0 NOT NULL,
	"failed" bigint DEFAULT 0 NOT NULL,
	"last_at" timestamp with time zone,
	"period" timestamp with time zone,
	"touched_seen_at" timestamp with time zone,
	"touched_happened_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "mirror"."count_periods" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text,
	"kind" text NOT NULL,
	"part" text,
	"period" timestamp with time zone NOT NULL,
	"total" bigint DEFAULT 0 NOT NULL,
	"failed" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "count_periods_count" UNIQUE NULLS NOT DISTINCT("period","company_id","project_id","resource","kind","part")
);
--> statement-breakpoint
CREATE TABLE "mirror"."counts" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text,
	"kind" text NOT NULL,
	"part" text,
	"total" bigint DEFAULT 0 NOT NULL,
	"live" bigint DEFAULT 0 NOT NULL,
	"parts" bigint DEFAULT 0 NOT NULL,
	"failed" bigint DEFAULT 0 NOT NULL,
	"last_at" timestamp with time zone,
	"lately" bigint DEFAULT 0 NOT NULL,
	"first_seen_at" timestamp with time zone,
	"happened_at" timestamp with time zone,
	CONSTRAINT "counts_count" UNIQUE NULLS NOT DISTINCT("kind","company_id","project_id","resource","part")
);
--> statement-breakpoint
CREATE TABLE "mirror"."latest_proofs" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text NOT NULL,
	"by_listing_at" timestamp with time zone,
	"by_bin_at" timestamp with time zone,
	"by_window_at" timestamp with time zone,
	"by_count_at" timestamp with time zone,
	"listed_since" timestamp with time zone,
	"differs_since" timestamp with time zone,
	"sampled_since" timestamp with time zone,
	"before_at" timestamp with time zone,
	"before_since" timestamp with time zone,
	CONSTRAINT "latest_proofs_of" UNIQUE NULLS NOT DISTINCT("company_id","project_id","resource")
);
--> statement-breakpoint
DROP INDEX "mirror"."pending_first_seen_at";--> statement-breakpoint
CREATE INDEX "pending_oldest" ON "mirror"."pending" USING btree ("company_id","project_id","resource","lane","first_seen_at");--> statement-breakpoint
CREATE INDEX "pending_happened_at" ON "mirror"."pending" USING btree ("company_id","project_id","resource","lane","happened_at") WHERE happened_at is not null;--> statement-breakpoint
CREATE INDEX "proofs_listed" ON "mirror"."proofs" USING btree ("company_id","project_id","resource","proved_at","as_of") WHERE outcome = 'equal' and rung = 'listing';