-- What is known of a record, down to a depth that no record of Procore's comes near: each level takes stack, and running out
-- of it would fail the whole page. Below that the newer value counts as it is.
CREATE FUNCTION mirror.merge_detail_within(older jsonb, newer jsonb, levels integer) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
begin
  if levels > 0 and jsonb_typeof(older) = 'object' and jsonb_typeof(newer) = 'object' then
    if older -> 'id' is distinct from newer -> 'id' then
      return newer;
    end if;
    return older || coalesce(
      (select jsonb_object_agg(n.key, mirror.merge_detail_within(older -> n.key, n.value, levels - 1)) from jsonb_each(newer) n), '{}');
  end if;
  if levels > 0 and jsonb_typeof(older) = 'array' and jsonb_typeof(newer) = 'array' then
    return coalesce(
      (select jsonb_agg(mirror.merge_detail_within(
          (select o.value from jsonb_array_elements(older) o
            where jsonb_typeof(o.value) = 'object' and o.value -> 'id' = n.value -> 'id' limit 1), n.value, levels - 1) order by n.position)
        from jsonb_array_elements(newer) with ordinality as n(value, position)), '[]');
  end if;
  return newer;
end $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION mirror.merge_detail(older jsonb, newer jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
begin
  return mirror.merge_detail_within(older, newer, 64);
exception when program_limit_exceeded then
  -- Postgres reads jsonb a little deeper than it can put it together.
  return newer;
end $$;
--> statement-breakpoint
-- 50.0 and 5e1 are whole numbers, too; 50.5 is none.
CREATE OR REPLACE FUNCTION mirror.bigint_or_null(value text) RETURNS bigint LANGUAGE plpgsql STABLE STRICT AS $$
declare
  number numeric;
begin
  number := value::numeric;
  return case when number = trunc(number) then number::bigint end;
exception when data_exception or program_limit_exceeded then
  return null;
end $$;
