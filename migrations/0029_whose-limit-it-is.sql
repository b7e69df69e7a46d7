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
ALTER TABLE "mirror"."budget" ADD COLUMN "calls" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."budget" ADD COLUMN "calls_of_others" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."budget" ADD COLUMN "lane_calls" integer[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."budget_use" ADD COLUMN "said_limit" integer;--> statement-breakpoint
ALTER TABLE "mirror"."budget_use" ADD COLUMN "said_remaining" integer[];--> statement-breakpoint
ALTER TABLE "mirror"."budget_use" ADD COLUMN "said_reset_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."budget_use" ADD COLUMN "said_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."callers" ADD COLUMN "under_way_of" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
-- They are told whose calls are under way now; their files in packages/database/src/migrate/functions/ follow.
DROP FUNCTION IF EXISTS "mirror"."take_calls"(text, integer, bigint[], "mirror"."lane"[]);
--> statement-breakpoint
DROP FUNCTION IF EXISTS "mirror"."learn_limits"(bigint, double precision, boolean, bigint, bigint, double precision);
