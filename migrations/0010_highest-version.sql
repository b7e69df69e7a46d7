CREATE TABLE "mirror"."highest_version" (
	"one" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"version" bigint NOT NULL,
	CONSTRAINT "highest_version_one" CHECK ("mirror"."highest_version"."one")
);
