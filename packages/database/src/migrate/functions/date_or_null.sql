-- A cast that gives NULL for what does not fit, for the store statement's second try; Postgres 15 has no pg_input_is_valid.
-- The session's date style counts, hence stable.
create or replace function mirror.date_or_null(value text) returns date language plpgsql stable strict as $$
begin
  return value::date;
exception when data_exception or program_limit_exceeded then
  return null;
end $$;
