CREATE TABLE "mirror"."walks" (
	"version" bigint PRIMARY KEY NOT NULL,
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text NOT NULL,
	"lane" "mirror"."lane" NOT NULL,
	"generations" bigint[] NOT NULL,
	"kept_at" timestamp with time zone DEFAULT now() NOT NULL,
	"place" jsonb NOT NULL
);
--> statement-breakpoint
CREATE INDEX "walks_batch" ON "mirror"."walks" USING btree ("company_id","project_id","resource","lane");