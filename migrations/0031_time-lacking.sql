ALTER TABLE "mirror"."event_gaps" ADD COLUMN "because" text DEFAULT 'hook' NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."scopes" ADD COLUMN "refused_at" timestamp with time zone;