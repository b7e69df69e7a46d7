-- A record without what says what the reader may do: `permissions`, and keys that begin with `current_user`, down to a depth that no
-- record of Procore's comes near.
create or replace function mirror.without_permissions(
  part jsonb, levels integer
) returns jsonb language plpgsql immutable parallel safe strict as $$
begin
  if levels = 0 or strpos(part::text, '"permissions": ') = 0 and strpos(part::text, '"current_user') = 0 then
    return part;
  end if;
  if jsonb_typeof(part) = 'object' then
    return (select coalesce(jsonb_object_agg(key, mirror.without_permissions(value, levels - 1)), '{}')
      from jsonb_each(part) where key <> 'permissions' and not starts_with(key, 'current_user'));
  end if;
  if jsonb_typeof(part) = 'array' then
    return (select jsonb_agg(mirror.without_permissions(value, levels - 1) order by position)
      from jsonb_array_elements(part) with ordinality as item(value, position));
  end if;
  return part;
end $$;
