-- How lanes share a window of calls. `own`: the share of the window that is theirs, whatever later and earlier lanes want, but
-- for news (live, detail), which goes first. `leaves`: the share that they leave to others within their own, and beyond it.
-- What is left shrinks with the time that the window still has, so that in the end everybody may have everything.
--   News may want 30 % of an hour (180 edits at 600 calls); 40 % are kept for it, because news comes in bursts.
--   Looking after itself has a share of its own, because a fill takes months: hooks 5 % and delivery log 10 %, polled lists
--   10 %, proofs 10 %, files 5 %. Beyond that it comes after the fill; where there is none, 40 % are there for it at once.
create or replace function mirror.lane_shares(
  out lane mirror.lane, out own double precision, out leaves double precision, out leaves_beyond double precision
) returns setof record language sql stable as $$
  values
    ('live'::mirror.lane, 0::float8, 0::float8, 0::float8),
    ('detail',            0,         0.1,       0.1),
    ('repair',            0,         0.2,       0.2),
    ('upkeep',            0.15,      0.4,       0.6),
    ('poll',              0.1,       0.4,       0.6),
    ('backfill',          0,         0.4,       0.4),
    ('verify',            0.1,       0.4,       0.65),
    ('files',             0.05,      0.4,       0.7)
$$;
