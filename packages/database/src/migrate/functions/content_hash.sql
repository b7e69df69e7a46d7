-- 16 bytes of a content: the version of the rule that says what counts (`record_hash`), and of its SHA-256 as many as there is room for.
-- One expression, so that Postgres puts it in the place of the call.
create or replace function mirror.content_hash(
  content text
) returns bytea language sql immutable parallel safe as $$
  select decode('01', 'hex') || substr(sha256(convert_to(content, 'UTF8')), 1, 15)
$$;
