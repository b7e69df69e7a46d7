CREATE TABLE "mirror"."upkeep" (
	"name" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"statement" text NOT NULL,
	"table_schema" text NOT NULL,
	"table_name" text NOT NULL,
	"position" bigint GENERATED ALWAYS AS IDENTITY (sequence name "mirror"."upkeep_position_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"added_at" timestamp with time zone DEFAULT now() NOT NULL,
	"done_at" timestamp with time zone,
	"rows" bigint DEFAULT 0 NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"next_try_at" timestamp with time zone,
	"last_error" text,
	"lease_holder" text,
	"lease_until" timestamp with time zone
);
