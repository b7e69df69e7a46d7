-- Forgets the counts of a table that was emptied. Nobody else changes it meanwhile.
create or replace function mirror.count_nothing() returns trigger language plpgsql security definer set search_path to 'pg_catalog', 'pg_temp' as $$
begin
  perform mirror.take_turn('counts');
  delete from mirror.counts where kind = tg_argv[0] and (tg_nargs = 1 or resource = tg_argv[1]);
  delete from mirror.count_changes where kind = tg_argv[0] and (tg_nargs = 1 or resource = tg_argv[1]);
  delete from mirror.count_periods where kind = tg_argv[0] and (tg_nargs = 1 or resource = tg_argv[1]);
  return null;
end $$;
