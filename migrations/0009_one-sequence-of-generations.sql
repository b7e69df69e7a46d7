CREATE SEQUENCE "mirror"."generation" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "mirror"."absences" (
	"company_id" bigint NOT NULL,
	"resource" text NOT NULL,
	"record_id" text NOT NULL,
	"project_id" bigint,
	"parent_id" text,
	"version" bigint NOT NULL,
	"noted_at" timestamp with time zone DEFAULT now() NOT NULL,
	"looks" integer DEFAULT 0 NOT NULL,
	"look_at" timestamp with time zone,
	CONSTRAINT "absences_place" UNIQUE NULLS NOT DISTINCT("company_id","resource","record_id","project_id","parent_id")
);
--> statement-breakpoint
CREATE TABLE "mirror"."version_gaps" (
	"after" bigint PRIMARY KEY NOT NULL,
	"up_to" bigint NOT NULL,
	"found_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mirror"."pending" ALTER COLUMN "generation" SET DEFAULT nextval('mirror.generation');--> statement-breakpoint
ALTER TABLE "mirror"."pending" ADD COLUMN "delete_occurred_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."pending" ADD COLUMN "absent_generation" bigint;--> statement-breakpoint
ALTER TABLE "mirror"."pending" ADD COLUMN "absent_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "absences_look_at" ON "mirror"."absences" USING btree ("look_at") WHERE look_at is not null;--> statement-breakpoint
CREATE INDEX "absences_noted_at" ON "mirror"."absences" USING btree ("noted_at");--> statement-breakpoint
-- Above all that were given: a worker of the version before may still add one to some while this runs.
SELECT setval('mirror.generation', coalesce(max(generation), 0) + 1000) FROM mirror.pending;--> statement-breakpoint
-- Rows were hidden after one absence so far, some of them for good although Procore shows the record. Each is looked at
-- once more within a day.
DO $$
DECLARE
  mirrored record;
BEGIN
  FOR mirrored IN
    SELECT c.relname AS name, obj_description(c.oid) AS about,
      EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'project_id' AND NOT a.attisdropped) AS in_project
    FROM pg_class c WHERE c.relnamespace = 'procore'::regnamespace AND c.relkind = 'r'
  LOOP
    -- The comment of a mirrored table begins with the name of its resource.
    CONTINUE WHEN mirrored.about IS NULL OR position(' as Procore''s API gives them.' in mirrored.about) = 0;
    EXECUTE format(
      'INSERT INTO mirror.absences (company_id, resource, record_id, project_id, version, looks, look_at)
        SELECT company_id, %L, id::text, %s, _version, 2, now() + random() * interval ''1 day''
        FROM procore.%I WHERE _hidden_at IS NOT NULL AND _deleted_at IS NULL ON CONFLICT DO NOTHING',
      left(mirrored.about, position(' as Procore''s API gives them.' in mirrored.about) - 1),
      CASE WHEN mirrored.in_project THEN 'project_id' ELSE 'NULL::bigint' END,
      mirrored.name);
  END LOOP;
END $$;
