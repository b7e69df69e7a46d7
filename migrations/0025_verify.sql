ALTER TABLE "mirror"."backfills" ADD COLUMN "buried" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."lists" ADD COLUMN "innocent_difference" bigint;