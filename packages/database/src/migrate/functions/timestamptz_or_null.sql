-- A cast that gives NULL for what does not fit, for the store statement's second try; Postgres 15 has no pg_input_is_valid.
-- The session's time zone and date style count, hence stable.
create or replace function mirror.timestamptz_or_null(
  value text
) returns timestamp with time zone language plpgsql stable strict as $$
begin
  return value::timestamptz;
exception when data_exception or program_limit_exceeded then
  return null;
end $$;
