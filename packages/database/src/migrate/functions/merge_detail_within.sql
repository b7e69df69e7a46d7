-- What is known of a record, down to a depth that no record of Procore's comes near: each level takes stack, and running out
-- of it would fail the whole page. Below that the newer value counts as it is.
create or replace function mirror.merge_detail_within(
  older jsonb, newer jsonb, levels integer
) returns jsonb language plpgsql immutable parallel safe as $$
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
