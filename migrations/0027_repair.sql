CREATE TABLE "mirror"."delivery_looks" (
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"hook_id" text NOT NULL,
	"status" text NOT NULL,
	"day" date,
	"looked_at" timestamp with time zone,
	"pages" integer DEFAULT 0 NOT NULL,
	"found" integer DEFAULT 0 NOT NULL,
	"new_events" integer DEFAULT 0 NOT NULL,
	"newest_event_at" timestamp with time zone,
	"in_order" integer DEFAULT 0,
	"tried_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finding" text,
	"next_at" timestamp with time zone,
	CONSTRAINT "delivery_looks_look" UNIQUE("company_id","hook_id","status")
);
--> statement-breakpoint
CREATE TABLE "mirror"."repairs" (
	"request" text NOT NULL,
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"since" timestamp with time zone,
	"requested_at" timestamp with time zone DEFAULT now() NOT NULL,
	"missed_since" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"calls" integer DEFAULT 0 NOT NULL,
	"found" integer DEFAULT 0 NOT NULL,
	"new_events" integer DEFAULT 0 NOT NULL,
	"unread" integer DEFAULT 0 NOT NULL,
	"oldest_event_at" timestamp with time zone,
	"older_than_log" date[] DEFAULT '{}' NOT NULL,
	CONSTRAINT "repairs_request_company_id_pk" PRIMARY KEY("request","company_id")
);
--> statement-breakpoint
CREATE TABLE "mirror"."undelivered" (
	"company_id" bigint PRIMARY KEY NOT NULL,
	"asked_at" timestamp with time zone NOT NULL,
	"count" integer NOT NULL,
	"oldest_at" timestamp with time zone,
	"alarm_hours" smallint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mirror"."events" ADD COLUMN "via" text DEFAULT 'delivery' NOT NULL;