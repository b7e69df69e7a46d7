-- Strings with backslashes are written E, because a role may have standard_conforming_strings off.
-- What of a record counts as a change, in 16 bytes; the first is the version of this rule. Left out is what changes by itself: what
-- the reader may do (`permissions`, keys that begin with `current_user`), and of links to Procore's file storage everything but the path.
create or replace function mirror.record_hash(
  record jsonb
) returns bytea language plpgsql immutable parallel safe strict as $$
declare
  content text := record::text;
begin
  if strpos(content, '"permissions": ') > 0 or strpos(content, '"current_user') > 0 then
    begin
      content := mirror.without_permissions(record, 64)::text;
    exception when program_limit_exceeded then
      null; -- Postgres reads jsonb a little deeper than it can put it together
    end;
  end if;
  if strpos(content, '.procore.com') > 0 then
    content := regexp_replace(content, E'"https?://storage[-a-z0-9.]*\\.procore\\.com(/[^"?#\\\\]*)(?:\\?[^"\\\\]*)?"', E'"\\1"', 'g');
  end if;
  -- No host may be assumed, so a signature tells such a link, too.
  if strpos(content, 'sig=') > 0 or strpos(content, 'X-Amz-Signature=') > 0 then
    content := regexp_replace(content,
      E'"https?://[^"/?#\\\\]+(/[^"?#\\\\]*)\\?(?:[^"\\\\]*&)?(?:sig=[0-9a-f]{32}|X-Amz-Signature=)[^"\\\\]*"', E'"\\1"', 'g');
  end if;
  return mirror.content_hash(content);
end $$;
