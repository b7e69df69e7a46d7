CREATE TABLE "mirror"."lists" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text NOT NULL,
	"parent_id" text,
	"page_size" integer,
	"larger_page_at" timestamp with time zone,
	"total_difference" bigint,
	"total_readings" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "lists_list" UNIQUE NULLS NOT DISTINCT("company_id","project_id","resource","parent_id")
);
