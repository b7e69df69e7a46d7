-- A cast that gives NULL for what does not fit, for the store statement's second try; Postgres 15 has no pg_input_is_valid.
-- 50.0 and 5e1 are whole numbers, too; 50.5 is none.
create or replace function mirror.bigint_or_null(value text) returns bigint language plpgsql stable strict as $$
declare
  number numeric;
begin
  number := value::numeric;
  return case when number = trunc(number) then number::bigint end;
exception when data_exception or program_limit_exceeded then
  return null;
end $$;
