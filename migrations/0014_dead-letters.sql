ALTER TABLE "mirror"."dead_letters" ADD COLUMN "kind" text DEFAULT 'delivery' NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "company_id" bigint;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "project_id" bigint;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "resource" text;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "record_id" text;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "next_try_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "tries" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "event_id" text;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "occurred_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "delete_seen" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "delete_occurred_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "mirror"."dead_letters" ADD COLUMN "parent_id" text;--> statement-breakpoint
CREATE INDEX "dead_letters_next_try_at" ON "mirror"."dead_letters" USING btree ("next_try_at") WHERE next_try_at is not null;--> statement-breakpoint
-- Those that were there: a record had one for each of its events, under the event's id, or one under its own key when no event
-- told of it. Each is tried again at once, because none was until now.
UPDATE mirror.dead_letters d SET kind = 'record', company_id = e.company_id,
  project_id = CASE WHEN t.in_project IS DISTINCT FROM false THEN e.project_id END,
  resource = coalesce(t.resource, e.resource), record_id = e.record_id, next_try_at = now(), event_id = e.id,
  occurred_at = e.occurred_at, delete_seen = e.kind IN ('delete', 'deleted'),
  delete_occurred_at = CASE WHEN e.kind IN ('delete', 'deleted') THEN e.occurred_at END
FROM mirror.events e LEFT JOIN (
  -- The comment of a mirrored table begins with the name of its resource.
  SELECT split_part(obj_description(c.oid), ' as Procore''s API gives them.', 1) AS resource,
    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'project_id' AND NOT a.attisdropped) AS in_project
  FROM pg_class c WHERE c.relnamespace = 'procore'::regnamespace AND c.relkind = 'r'
) t ON lower(t.resource) = lower(e.resource)
WHERE e.id = d.id;--> statement-breakpoint
UPDATE mirror.dead_letters d SET kind = 'record', company_id = (p.news ->> 'company_id')::bigint,
  project_id = (p.news ->> 'project_id')::bigint, resource = p.news ->> 'resource', record_id = p.news ->> 'record_id',
  next_try_at = now(), occurred_at = (p.news ->> 'occurred_at')::timestamptz,
  delete_seen = coalesce((p.news ->> 'delete_seen')::boolean, false),
  delete_occurred_at = (p.news ->> 'delete_occurred_at')::timestamptz, parent_id = p.news ->> 'parent_id'
FROM (
  SELECT id, raw::jsonb AS news FROM mirror.dead_letters WHERE kind = 'delivery' AND position('/' IN id) > 0
) p WHERE p.id = d.id;--> statement-breakpoint
UPDATE mirror.dead_letters d SET attempts = r.attempts, first_seen_at = r.first_seen_at, occurred_at = r.occurred_at,
  delete_seen = r.delete_seen, delete_occurred_at = r.delete_occurred_at, parent_id = r.parent_id
FROM (
  SELECT company_id, project_id, resource, record_id, sum(attempts) AS attempts, min(first_seen_at) AS first_seen_at,
    max(occurred_at) AS occurred_at, bool_or(delete_seen) AS delete_seen, max(delete_occurred_at) AS delete_occurred_at,
    max(parent_id) AS parent_id
  FROM mirror.dead_letters WHERE kind = 'record' GROUP BY company_id, project_id, resource, record_id
) r
WHERE d.kind = 'record' AND (d.company_id, d.resource, d.record_id) = (r.company_id, r.resource, r.record_id)
  AND d.project_id IS NOT DISTINCT FROM r.project_id;--> statement-breakpoint
DELETE FROM mirror.dead_letters WHERE kind = 'record' AND id NOT IN (
  SELECT DISTINCT ON (company_id, project_id, resource, record_id) id FROM mirror.dead_letters WHERE kind = 'record'
  ORDER BY company_id, project_id, resource, record_id, last_seen_at DESC, id);--> statement-breakpoint
UPDATE mirror.dead_letters SET id = concat_ws('/', company_id, project_id, resource, record_id) WHERE kind = 'record';
