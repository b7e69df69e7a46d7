CREATE TABLE "mirror"."comparisons" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text NOT NULL,
	"request" text,
	"requested_at" timestamp with time zone DEFAULT now() NOT NULL,
	"rung" text NOT NULL,
	"sample" integer,
	"repairs" boolean DEFAULT false NOT NULL,
	"buries_all" boolean DEFAULT false NOT NULL,
	"state" text NOT NULL,
	"outcome" text,
	"detail" text,
	"position" integer DEFAULT 0 NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"calls" bigint DEFAULT 0 NOT NULL,
	"place" jsonb,
	"attempts" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp with time zone DEFAULT now() NOT NULL,
	"lease_holder" text,
	"lease_until" timestamp with time zone,
	CONSTRAINT "comparisons_scope" UNIQUE NULLS NOT DISTINCT("company_id","project_id","resource")
);
--> statement-breakpoint
CREATE TABLE "mirror"."differences" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text NOT NULL,
	"record_id" text NOT NULL,
	"kind" text NOT NULL,
	"fields" text[],
	"parent_id" text,
	"is_sure" boolean DEFAULT false NOT NULL,
	"found_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "differences_record" UNIQUE NULLS NOT DISTINCT("company_id","project_id","resource","record_id")
);
--> statement-breakpoint
CREATE TABLE "mirror"."proofs" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text NOT NULL,
	"rung" text NOT NULL,
	"proved_at" timestamp with time zone DEFAULT now() NOT NULL,
	"as_of" timestamp with time zone NOT NULL,
	"ours" bigint,
	"theirs" bigint,
	"missing" bigint NOT NULL,
	"changed" bigint NOT NULL,
	"extra" bigint NOT NULL,
	"calls" bigint NOT NULL,
	"outcome" text NOT NULL,
	"detail" text
);
--> statement-breakpoint
ALTER TABLE "mirror"."backfills" ADD COLUMN "buried" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."lists" ADD COLUMN "innocent_difference" bigint;--> statement-breakpoint
CREATE INDEX "comparisons_open" ON "mirror"."comparisons" USING btree ("position","due_at") WHERE state in ('waiting', 'running');--> statement-breakpoint
CREATE INDEX "proofs_of" ON "mirror"."proofs" USING btree ("company_id","project_id","resource","proved_at");