-- Names that say what they do; their files in packages/database/src/migrate/functions/ follow. Renamed, they keep their grants.
alter function mirror.take_leave rename to take_calls;
--> statement-breakpoint
alter function mirror.rest_of_news rename to pause_for_news;
