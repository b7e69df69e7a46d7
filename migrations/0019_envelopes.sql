CREATE TABLE "mirror"."receiver_gaps" (
	"receiver" text NOT NULL,
	"kind" text NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"until" timestamp with time zone NOT NULL,
	"count" integer,
	"was_stopped" boolean,
	CONSTRAINT "receiver_gaps_receiver_kind_since_pk" PRIMARY KEY("receiver","kind","since")
);
--> statement-breakpoint
CREATE TABLE "mirror"."receivers" (
	"id" text PRIMARY KEY NOT NULL,
	"host" text NOT NULL,
	"pid" integer NOT NULL,
	"version" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"reported_at" timestamp with time zone NOT NULL,
	"stopped_at" timestamp with time zone,
	"recorded_at" timestamp with time zone DEFAULT now() NOT NULL,
	"report" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mirror"."events" ADD COLUMN "key" text;--> statement-breakpoint
ALTER TABLE "mirror"."events" ADD COLUMN "trace" text;