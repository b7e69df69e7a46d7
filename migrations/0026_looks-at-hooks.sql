CREATE TABLE "mirror"."duties" (
	"name" text PRIMARY KEY NOT NULL,
	"lease_holder" text NOT NULL,
	"lease_until" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mirror"."hooks" ADD COLUMN "wanted_key" text;