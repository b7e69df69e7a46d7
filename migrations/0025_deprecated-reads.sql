ALTER TABLE "mirror"."pending" ADD COLUMN "lists_children" boolean DEFAULT false NOT NULL;--> statement-breakpoint
-- Nobody reads ToDos any more. Its table stays with its rows; what would wait for a fetch for ever goes.
DELETE FROM "mirror"."pending" WHERE "resource" = 'ToDos';--> statement-breakpoint
DELETE FROM "mirror"."batches" WHERE "resource" = 'ToDos';--> statement-breakpoint
DELETE FROM "mirror"."dead_letters" WHERE "kind" = 'record' AND "resource" = 'ToDos';--> statement-breakpoint
DELETE FROM "mirror"."scopes" WHERE "resource" = 'ToDos';--> statement-breakpoint
DELETE FROM "mirror"."absences" WHERE "resource" = 'ToDos';--> statement-breakpoint
DELETE FROM "mirror"."schema_drift" WHERE "resource" = 'ToDos';--> statement-breakpoint
DELETE FROM "mirror"."unfit_values" WHERE "resource" = 'ToDos';--> statement-breakpoint
-- What was learnt of the list of Standard Cost Code Lists, which nobody reads any more either, and how far its fills came.
DELETE FROM "mirror"."lists" WHERE "resource" = 'Standard Cost Code Lists';--> statement-breakpoint
DELETE FROM "mirror"."backfills" WHERE "resource" = 'Standard Cost Code Lists';--> statement-breakpoint
COMMENT ON TABLE "procore"."todos" IS 'ToDos of Procore, as they were last read: their only path is deprecated, so they are read no more.';
