-- What is known of a record: the newer fields, and of the older ones those that the newer lack, all the way down. An
-- element of an array is the same when its id is. For lists that carry part of a record.
create or replace function mirror.merge_detail(
  older jsonb, newer jsonb
) returns jsonb language plpgsql immutable parallel safe as $$
begin
  return mirror.merge_detail_within(older, newer, 64);
exception when program_limit_exceeded then
  -- Postgres reads jsonb a little deeper than it can put it together.
  return newer;
end $$;
