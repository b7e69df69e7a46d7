// The worker has each table compared with Procore by itself: of each company one worker at a time looks which are due, the longest unproved
// first, and asks for a few, as far as the share of calls reaches; any worker compares them (`verify-loop.ts`).
//
//   gaps of which changes may be lacking ─▶ its whole list goes first; a fill, where no list proves it and it is small
//   what differed ─▶ its list, which tells which records, or that all is well again
//   tables that were never compared, then those whose turn it is ─▶ the cheap rungs
//   one after each four of those, or all where nothing of that is due ─▶ whole lists
import { randomUUID } from 'node:crypto';
import type { Catalogue } from '@procore-mirror/catalogue';
import {
  type BatchKey,
  bringProofsForward,
  countOpenProofs,
  findDueProofs,
  findLackingFills,
  findOpenGaps,
  findUnprovedTables,
  heedGaps,
  listSelectedCompanies,
  type ProofTurn,
  requestBackfills,
  requestComparisons,
} from '@procore-mirror/database';
import { type CompanyLoopOptions, startCompanyLoop } from './company-loop.ts';
import { isSelected } from './plan/news-of-event.ts';
import { listingEveryMs, putOffMs, RUNGS } from './plan/next-proofs.ts';
import { orderFills } from './plan/order-fills.ts';
import { provedByFills } from './plan/proved-by-fills.ts';
import { realTime } from './run/clock.ts';
import { createProofShare } from './run/proof-share.ts';

export type ProofScheduleOptions = CompanyLoopOptions & {
  catalogue: Catalogue;
  /** Names of the resources that are mirrored; null for all. */
  resources: readonly string[] | null;
  /** How often each table is compared by the cheap rungs, as far as the share of calls reaches, ms. */
  everyMs: number;
  /** How far up the ladder each turn goes. */
  rungs?: typeof RUNGS;
};

/** Workers take what differed first, and of the rest what waits longest. */
const POSITIONS: Readonly<Record<ProofTurn, number>> = { differing: 0, cheap: 1000, listing: 1000 };
/** So many wait for workers at most: what is asked for later may be more urgent. */
const MOST_OPEN = 10;
/** How often it goes through all scopes for tables that were never compared, once none was found, ms. */
const SEEK_EVERY_MS = 60_000;
/** Whole lists may take long, and what is cheap comes due meanwhile. */
const MOST_LISTINGS = 2;
/** Where cheap rungs use up the share, a whole list has its turn after so many. */
const CHEAP_BEFORE_LISTING = 4;
/** Of a table that only a fill shows whole, so many are shown again without anybody asking. */
const FEW_RECORDS = 1_000;

/** Starts to have tables compared, of all companies that are selected. */
export function startProofSchedule(options: ProofScheduleOptions): { close: () => Promise<void> } {
  return startCompanyLoop(options, {
    name: 'schedule of proofs',
    list: () => listSelectedCompanies(options.database.pool),
    begin: (companyId) => createLooks(options, companyId),
  });
}

/** One look at a company: asks for what is due, if there is room and if calls are left. */
function createLooks(options: ProofScheduleOptions, companyId: string): () => Promise<void> {
  const { database, catalogue, everyMs, rungs = RUNGS, clock = realTime } = options;
  const { pool } = database;
  const share = createProofShare(database, clock);
  const positions = orderFills(catalogue);
  const resources = catalogue.mirrored
    .filter((entry) => entry.list?.shared === false && isSelected(entry, options))
    .map(({ resource }) => resource)
    .toSorted((a, b) => (positions.get(a) ?? 0) - (positions.get(b) ?? 0));
  const shownByFills = provedByFills(catalogue, (entry) => isSelected(entry, options));
  const shownBy = catalogue.mirrored.flatMap(({ resource, table }) =>
    (table?.filledBy ?? []).flatMap((parent) => (parent === resource ? [] : [{ resource, parent }])),
  );
  const mostRareMs = listingEveryMs(everyMs);
  const part = { companyId, resources, askOffAfterMs: mostRareMs };
  let isBroughtForward = false;
  let after: string | null = null;
  let seekAt = Number.NEGATIVE_INFINITY;
  let cheapInARow = 0;

  async function ask(turn: ProofTurn, tables: readonly BatchKey[]): Promise<void> {
    const task = { rung: rungs[turn], sample: null, repairs: true, buriesAll: false };
    const wanted = tables.map((table, index) => ({ ...table, position: POSITIONS[turn] + index }));
    await requestComparisons(database, { request: null, task, wanted });
  }

  /** What a time of which changes may be lacking touches is proved again, in its turn. */
  async function heed(): Promise<void> {
    const until = await findOpenGaps(pool, companyId);
    if (until === null) return;
    const gaps = { companyId, until, shownBy };
    const tables = await findLackingFills(pool, { ...gaps, resources: shownByFills, mostRecords: FEW_RECORDS });
    const wanted = tables.map((table) => ({ ...table, position: positions.get(table.resource) ?? 0 }));
    if (wanted.length > 0) await requestBackfills(database, { request: randomUUID(), wanted });
    await heedGaps(pool, { ...gaps, resources });
  }

  /** Tables that were never compared; each look goes through a part of the scopes. */
  async function findUnproved(limit: number): Promise<BatchKey[]> {
    if (clock.now() < seekAt) return [];
    const { due, next } = await findUnprovedTables(pool, { ...part, limit, after });
    after = next;
    if (next === null && due.length < limit) seekAt = clock.now() + Math.min(SEEK_EVERY_MS, everyMs);
    return due;
  }

  /** False: there may be more of this turn that a later look finds. */
  async function askDue(turn: ProofTurn, room: number): Promise<{ asked: number; isAll: boolean }> {
    const { due, looked } = await findDueProofs(pool, { ...part, limit: room, turn, putOffMs: putOffMs(everyMs) });
    await ask(turn, due);
    return { asked: due.length, isAll: looked === due.length && due.length < room };
  }

  async function askListings(room: number): Promise<number> {
    const { asked } = await askDue('listing', room);
    if (asked > 0) cheapInARow = 0;
    return asked;
  }

  /** Asks for tables that are to be counted; returns how many are, and whether there may be more. */
  async function askCheap(room: number): Promise<{ asked: number; isAll: boolean }> {
    if (room <= 0) return { asked: 0, isAll: false };
    const unproved = await findUnproved(room);
    await ask('cheap', unproved);
    const left = room - unproved.length;
    const due = left > 0 ? await askDue('cheap', left) : { asked: 0, isAll: false };
    const asked = unproved.length + due.asked;
    cheapInARow += asked;
    return { asked, isAll: due.isAll };
  }

  return async () => {
    if (!isBroughtForward) await bringProofsForward(pool, companyId, { cheapMs: everyMs, listingMs: mostRareMs });
    isBroughtForward = true;
    await heed();
    const { open, listings } = await countOpenProofs(pool, companyId);
    let room = MOST_OPEN - open;
    if (room <= 0 || (await share.callsLeft(companyId)) <= 0) return;
    const differing = (await askDue('differing', room)).asked;
    room -= differing;
    const isTurnOfListing = cheapInARow >= CHEAP_BEFORE_LISTING && listings + differing < MOST_LISTINGS;
    if (isTurnOfListing && room > 0) room -= await askListings(1);
    const cheap = await askCheap(room);
    const left = Math.min(MOST_LISTINGS - (MOST_OPEN - room), room);
    if (cheap.asked === 0 && cheap.isAll && left > 0) await askListings(left);
  };
}
