CREATE TABLE "mirror"."calls" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text,
	"period_start" timestamp with time zone NOT NULL,
	"count" integer NOT NULL,
	"for_events" integer NOT NULL,
	"failed" integer NOT NULL,
	"last_status" integer,
	"last_called_at" timestamp with time zone NOT NULL,
	CONSTRAINT "calls_key" UNIQUE NULLS NOT DISTINCT("company_id","project_id","resource","period_start")
);
--> statement-breakpoint
CREATE TABLE "mirror"."schema_drift" (
	"resource" text NOT NULL,
	"field" text NOT NULL,
	"kind" text NOT NULL,
	"json_type" text,
	"count" bigint NOT NULL,
	"example_record_id" text NOT NULL,
	"first_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "schema_drift_resource_field_kind_pk" PRIMARY KEY("resource","field","kind")
);
--> statement-breakpoint
CREATE INDEX "calls_period_start" ON "mirror"."calls" USING btree ("period_start");