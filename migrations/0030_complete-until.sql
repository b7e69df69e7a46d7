CREATE TABLE "mirror"."event_gaps" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text,
	"since" timestamp with time zone NOT NULL,
	"until" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mirror"."trigger_sets" (
	"key" text PRIMARY KEY NOT NULL,
	"resources" text[] NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "complete_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "complete_before" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "happened_at" timestamp with time zone DEFAULT '-infinity';--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "to_fill" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."delivery_looks" ADD COLUMN "covers_from" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."delivery_looks" ADD COLUMN "covers_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."hooks" ADD COLUMN "carries_key" text;--> statement-breakpoint
ALTER TABLE "mirror"."hooks" ADD COLUMN "good_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."pending" ADD COLUMN "happened_at" timestamp with time zone DEFAULT '-infinity';--> statement-breakpoint
ALTER TABLE "mirror"."pending" ADD COLUMN "to_fill" boolean DEFAULT true NOT NULL;--> statement-breakpoint
CREATE INDEX "event_gaps_of" ON "mirror"."event_gaps" USING btree ("company_id","project_id");