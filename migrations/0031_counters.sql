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
	"period" timestamp with time zone
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
	CONSTRAINT "counts_count" UNIQUE NULLS NOT DISTINCT("company_id","project_id","resource","kind","part")
);
--> statement-breakpoint
DROP INDEX "mirror"."pending_first_seen_at";--> statement-breakpoint
CREATE INDEX "pending_oldest" ON "mirror"."pending" USING btree ("company_id","project_id","resource","first_seen_at");--> statement-breakpoint
CREATE INDEX "pending_happened_at" ON "mirror"."pending" USING btree ("company_id","project_id","resource","happened_at") WHERE happened_at is not null;