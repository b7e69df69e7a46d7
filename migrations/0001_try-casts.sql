-- Casts that give NULL for a value that does not fit, for the store statement's second try. Postgres 15 has no
-- pg_input_is_valid. The session's time zone and date style count, hence stable.
create function mirror.bigint_or_null(value text) returns bigint language plpgsql stable strict as $$
begin
  return value::bigint;
exception when data_exception or program_limit_exceeded then
  return null;
end $$;
--> statement-breakpoint
create function mirror.numeric_or_null(value text) returns numeric language plpgsql stable strict as $$
begin
  return value::numeric;
exception when data_exception or program_limit_exceeded then
  return null;
end $$;
--> statement-breakpoint
create function mirror.date_or_null(value text) returns date language plpgsql stable strict as $$
begin
  return value::date;
exception when data_exception or program_limit_exceeded then
  return null;
end $$;
--> statement-breakpoint
create function mirror.timestamptz_or_null(value text) returns timestamptz language plpgsql stable strict as $$
begin
  return value::timestamptz;
exception when data_exception or program_limit_exceeded then
  return null;
end $$;
