-- Waits until no other transaction has this turn, and has it until the end of its own.
create or replace function mirror.take_turn(turn text) returns void language plpgsql as $$
begin
  perform from mirror.turns where of = turn for update;
  if found then return; end if;
  insert into mirror.turns (of) values (turn) on conflict do nothing;
  perform from mirror.turns where of = turn for update;
end $$;
