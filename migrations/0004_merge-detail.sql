-- What is known of a record: the newer fields, and of the older ones those that the newer lack, all the way down. An
-- element of an array is the same when its id is. For lists that carry part of a record.
create function mirror.merge_detail(older jsonb, newer jsonb) returns jsonb language plpgsql immutable parallel safe as $$
begin
  if jsonb_typeof(older) = 'object' and jsonb_typeof(newer) = 'object' then
    if older -> 'id' is distinct from newer -> 'id' then
      return newer;
    end if;
    return older || coalesce(
      (select jsonb_object_agg(n.key, mirror.merge_detail(older -> n.key, n.value)) from jsonb_each(newer) n), '{}');
  end if;
  if jsonb_typeof(older) = 'array' and jsonb_typeof(newer) = 'array' then
    return coalesce(
      (select jsonb_agg(mirror.merge_detail(
          (select o.value from jsonb_array_elements(older) o
            where jsonb_typeof(o.value) = 'object' and o.value -> 'id' = n.value -> 'id' limit 1), n.value) order by n.position)
        from jsonb_array_elements(newer) with ordinality as n(value, position)), '[]');
  end if;
  return newer;
end $$;
