-- A record as a newer answer has it that carries part of it, as far as the older one has the same fields, all the way down: what only the
-- newer one has is left out, what it lacks stays. An element of an array is the same when its id is. Equal to the older one when the
-- two do not contradict each other.
create or replace function mirror.merge_known(
  older jsonb, newer jsonb, levels integer
) returns jsonb language plpgsql immutable parallel safe as $$
begin
  if levels > 0 and jsonb_typeof(older) = 'object' and jsonb_typeof(newer) = 'object' then
    if older ? 'id' and newer ? 'id' and older -> 'id' <> newer -> 'id' then
      return newer;
    end if;
    return older || coalesce(
      (select jsonb_object_agg(n.key, mirror.merge_known(older -> n.key, n.value, levels - 1))
        from jsonb_each(newer) n where older ? n.key), '{}');
  end if;
  if levels > 0 and jsonb_typeof(older) = 'array' and jsonb_typeof(newer) = 'array' then
    return coalesce(
      (select jsonb_agg(case when o.value is null then n.value else mirror.merge_known(o.value, n.value, levels - 1) end order by n.position)
        from jsonb_array_elements(newer) with ordinality as n(value, position)
        left join lateral (select e.value from jsonb_array_elements(older) e
          where jsonb_typeof(e.value) = 'object' and e.value -> 'id' = n.value -> 'id' limit 1) o on true), '[]');
  end if;
  return newer;
end $$;
