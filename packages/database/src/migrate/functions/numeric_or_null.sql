-- A cast that gives NULL for what does not fit, for the store statement's second try; Postgres 15 has no pg_input_is_valid.
create or replace function mirror.numeric_or_null(value text) returns numeric language plpgsql stable strict as $$
begin
  return value::numeric;
exception when data_exception or program_limit_exceeded then
  return null;
end $$;
