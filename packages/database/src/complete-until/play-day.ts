// A day of outages against the real statements: until when each table says that it is complete, against what the rows lack.
//
//   world (procore-world.ts) ──events──▶ receivers ──▶ spool ──▶ queue ──▶ recordEvent ──▶ fetch ──▶ rows (kept here)
//   every quarter of an hour ──▶ freshness.complete_until ≤ the earliest change that is not in the rows?
import assert from 'node:assert/strict';
import { inTransaction } from '../connection/transaction.ts';
import { discardDeadLetters, giveUpRecords, keepUnreadDelivery } from '../events/dead-letters.ts';
import { noteReceiver } from '../events/receivers.ts';
import { recordEvent } from '../events/record-event.ts';
import { markPending } from '../pending/mark-pending.ts';
import { noteBatch } from '../pending/note-batch.ts';
import { settleRecords } from '../pending/settle-records.ts';
import { claimBackfill, endBackfill } from '../schedule/backfill-leases.ts';
import { requestBackfills } from '../schedule/backfill-requests.ts';
import { noteDeliveryLook, noteUndelivered } from '../schedule/delivery-looks.ts';
import { noteHook } from '../schedule/hooks.ts';
import { addProof, readProvedSince } from '../schedule/proofs.ts';
import { keepParked, parkScope, unparkScopes } from '../schedule/scopes.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { anEvent } from '../testing/an-event.ts';
import { drawDay, HOUR, isIn, lastsMs, MINUTE } from './draw-day.ts';
import { type Change, createWorld, idOf, keyOf, PLACES, type Place, SCOPES, type WorldEvent } from './procore-world.ts';
import type { ClockedMirror } from './virtual-clock.ts';

const table = (name: string, resource: string, scope: 'company' | 'project', compares: boolean): MirroredTable => ({
  ...{ name, resource, scope, idType: 'bigint', idRepeatsAcrossProjects: false, parentKey: null, columns: [] },
  ...{ isUsers: true, provedBy: { compares, fills: [resource], parents: [] } },
});

/** Whole lists of a project and of the company, and one that carries part of each record. */
export const playedTables: readonly MirroredTable[] = [
  table('notes', 'Notes', 'project', true),
  table('papers', 'Papers', 'project', false),
  table('badges', 'Badges', 'company', true),
];

/**
 * Days on which a rule that lacked was found, or that few others tell of. Of a comparison that was equal but for a record that waited, and that lacked an older change, too; of a
 * sample that found what a list did not; of a hook that was disabled while its log was read.
 */
export const FOUND_DAYS = [1_018_608_221, 485_975_831, 675];

const BEGINS = Date.parse('2026-06-01T00:00:00Z');
const STEP = 15 * MINUTE;
const COMPANY = '1';
const COMPANY_SCOPE = { companyId: COMPANY, projectId: null, resource: null };
const PAUSES = { firstPauseMs: MINUTE, longestPauseMs: HOUR };
/** Of the moments. */
const CHECKED = 0.4;
/** Of a calm day: by how much it may be behind after its first hours. */
const CALM_LAG = 2 * HOUR;

type Lying = { event: WorldEvent; receivedAt: number; body: 'delivery' | 'delivery log' };
/** `lacking`: records that its lists told of, but for those that waited; null: it has not read them yet. */
type Comparison = { place: Place; asOf: number; lacking: string[] | null };
type Receiver = { id: string; skewMs: number; isGone: boolean; spool: Lying[]; reports: number[]; reportedAt: number };

/** Plays the day; throws where a table says more than is so, or stands still while all is well. */
export async function playDay({ database, setNow }: ClockedMirror, seed: number): Promise<void> {
  const day = drawDay(seed);
  const { random } = day;
  const world = createWorld(day);
  const rows = new Map<string, number>();
  /** Changes without an event that a comparison found. */
  const found = new Set<Change>();
  const queue: Lying[] = [];
  const recorded = new Set<string>();
  const carriesKnown = new Map<string | null, { id: string | null; triggers: string }>();
  const looks = new Map<string, number>();
  const receivers: Receiver[] = [1, 2].map((number) => ({
    ...{
      id: `r${number}`,
      skewMs: (random() - 0.5) * 20 * MINUTE,
      isGone: false,
      spool: [],
      reports: [],
      reportedAt: 0,
    },
  }));
  const fills = new Map<string, { place: Place; holder: string; isFlawed: boolean }>();
  let comparison: Comparison | null = null;
  let now = 0;
  let askedOldest: number | null = null;
  let areFillsWaiting = false;
  let isParked = false;
  const { pool } = database;
  /** Of trouble; on calm days there is none. */
  const chance = (share: number) => !day.isCalm && random() < share;
  const date = (at: number) => new Date(BEGINS + at);
  const batchOf = ({ projectId, resource }: Place) => ({ companyId: COMPANY, projectId, resource });

  async function record({ event, receivedAt, body: via }: Lying): Promise<void> {
    const { projectId, resource, recordId } = event;
    const says = { time: date(event.at).toISOString(), nothing: null, nonsense: '2099-01-01T00:00:00Z' }[event.says];
    if (event.isUnreadable || event.isHomeless) {
      const about = event.isUnreadable ? null : { companyId: COMPANY, projectId: null, resource, recordId };
      const letter = { reason: 'r', detail: '', raw: event.id, about, occurredAt: about === null ? null : says };
      await keepUnreadDelivery(pool, { id: event.id, ...letter, receivedAt: date(receivedAt), via });
      recorded.add(event.id);
      return;
    }
    const logged = anEvent({
      ...{
        id: event.id,
        companyId: COMPANY,
        projectId,
        resource,
        recordId,
        occurredAt: says,
        receivedAt: date(receivedAt),
        via,
      },
    });
    const news = [
      { companyId: COMPANY, projectId, resource, recordId, parentId: null, isDelete: false, isRelative: false },
    ];
    const pace = { delayMs: 0, maxWaitMs: HOUR };
    if (!isSelected(resource)) {
      const lacking = [{ projectId, resource }];
      await recordEvent(database, { event: logged, ignored: 'resource_not_selected', lacking, news: [], pace });
    } else await recordEvent(database, { event: logged, ignored: null, news, pace });
    recorded.add(event.id);
  }

  function isSelected(resource: string): boolean {
    return !day.deselected.some((one) => one.resource === resource && isIn([one.span], now));
  }

  async function receive(): Promise<void> {
    const alive = isIn(day.down, now) ? [] : receivers.filter(({ isGone }) => !isGone);
    const arrived = world.deliver(now, alive.length > 0 && world.isReachable(now));
    for (const event of arrived) take(alive[Math.floor(random() * alive.length)], event);
    const [first] = receivers;
    if (day.crashAt !== null && now >= day.crashAt && first !== undefined) first.isGone = true;
    for (const receiver of alive) if (!receiver.isGone) await report(receiver);
  }

  function take(receiver: Receiver | undefined, event: WorldEvent): void {
    if (receiver === undefined) return;
    const lying: Lying = { event, receivedAt: now + receiver.skewMs, body: 'delivery' };
    if (isIn(day.spools, now)) receiver.spool.push(lying);
    else if (!chance(isIn(day.sticky, now) ? 0.05 : 0.01)) queue.push(lying); // else a failover of the queue lost it
  }

  async function report(receiver: Receiver): Promise<void> {
    receiver.reports.push(now);
    if (isIn(day.spools, now)) return;
    queue.push(...receiver.spool.splice(0));
    if (isIn(day.idle, now)) return;
    for (const at of receiver.reports.splice(0).toSorted(() => random() - 0.5)) await noteReport(receiver, at);
  }

  async function noteReport(receiver: Receiver, at: number): Promise<void> {
    const about = {
      id: receiver.id,
      host: 'h',
      pid: 1,
      version: '1',
      startedAt: date(0).toISOString(),
      stoppedAt: null,
    };
    await noteReceiver(database, {
      ...about,
      reportedAt: date(at + receiver.skewMs).toISOString(),
      report: '{}',
      gaps: [],
    });
    receiver.reportedAt = Math.max(receiver.reportedAt, at);
  }

  async function recordQueue(): Promise<void> {
    for (const lying of queue.splice(0).toSorted(() => random() - 0.5)) {
      if (chance(0.05))
        queue.push(lying); // it fails, and is tried again
      else await record(lying);
    }
  }

  async function placesWithNews(): Promise<Place[]> {
    const { rows: places } = await pool.query<{ p: string | null; r: string }>(
      'select distinct project_id::text as p, resource as r from mirror.pending order by 1, 2',
    );
    return places.map(({ p: projectId, r: resource }) => ({ projectId, resource }));
  }

  async function fetch(place: Place): Promise<void> {
    const noted = await noteBatch(pool, batchOf(place), { delayMs: 0, absencePauseMs: 0, limit: 100 });
    const [well, failing] = [[] as typeof noted, [] as typeof noted];
    const failingShare = isIn(day.sticky, now) ? 0.6 : 0.1;
    for (const one of noted) (chance(failingShare) ? failing : well).push(one);
    for (const { id } of well) store(place, id);
    if (well.length > 0) await inTransaction(database, (client) => settleRecords(client, batchOf(place), well, 0));
    const dying = failing.filter(() => random() < 0.2);
    if (dying.length > 0)
      await giveUpRecords(database, batchOf(place), dying, { reason: 'refused', detail: '', retryAfterMs: [HOUR] });
  }

  function store(place: Place, recordId: string): void {
    const id = idOf({ ...place, recordId });
    const version = world.versions.get(id);
    if (version !== undefined) rows.set(id, version);
  }

  async function replayOrDiscard(): Promise<void> {
    const { rows: letters } = await pool.query<{
      id: string;
      p: string | null;
      r: string | null;
      record: string | null;
    }>('select id, project_id::text as p, resource as r, record_id as record from mirror.dead_letters');
    for (const { id, p: projectId, r: resource, record: recordId } of letters) {
      const chance = random();
      if (chance < 0.02) await discardDeadLetters(database, { ids: [id] });
      else if (chance < 0.2 && resource !== null && recordId !== null) {
        const news = [
          { companyId: COMPANY, projectId, resource, recordId, parentId: null, isDelete: false, isRelative: true },
        ];
        await markPending(pool, { news, lane: 'repair', pace: { delayMs: 0, maxWaitMs: HOUR } });
      }
    }
  }

  async function lookAtLogs(): Promise<void> {
    if (isIn(day.sticky, now)) return;
    for (const hook of world.hooks.values()) if (!chance(0.2)) await lookAtLog(hook);
    if (random() < 0.5) await askUndelivered();
  }

  async function lookAtLog({ id: hookId, projectId }: { id: string; projectId: string | null }): Promise<void> {
    const readUntil = looks.get(hookId) ?? Number.NEGATIVE_INFINITY;
    const all = world.log.filter((event) => event.hookId === hookId && event.at >= readUntil - HOUR);
    const unread = all.filter(({ isUnreadable }) => isUnreadable).map(({ at }) => at);
    const { areRecorded, waitingMs } = await handOver(all);
    const isCut = chance(0.05);
    const covers = {
      agoMs: MINUTE,
      waitingSince: Number.isFinite(waitingMs) ? date(waitingMs) : null,
      unreadUntil: unread.length === 0 ? null : date(Math.max(...unread)),
    };
    const firstDay = date(chance(0.02) ? 0 : -72 * HOUR);
    await noteDeliveryLook(
      database,
      { companyId: COMPANY, projectId, hookId, status: 'any' },
      {
        ...{ day: firstDay.toISOString().slice(0, 10), pages: 1, found: 0, newEvents: 0, unread: 0, inOrder: 0 },
        ...{ newestEventAt: null, oldestEventAt: null, covers: areRecorded ? covers : null, agoMs: 0 },
        flaw: isCut ? { finding: 'cut', nextInMs: 0 } : null,
      },
    );
    if (areRecorded && !isCut) looks.set(hookId, Math.min(now - MINUTE, waitingMs));
  }

  /** What is not recorded and not on its way; sometimes it is recorded only later. */
  async function handOver(all: readonly WorldEvent[]): Promise<{ areRecorded: boolean; waitingMs: number }> {
    const lacking = all.filter(({ id, isUnreadable }) => !recorded.has(id) && !isUnreadable);
    const isUnderWay = ({ status, at }: WorldEvent) =>
      ['enqueued', 'delivered'].includes(status) && at > now - 10 * MINUTE;
    const handed = lacking.filter((event) => !isUnderWay(event));
    const areRecorded = handed.length === 0 || !chance(0.2);
    for (const event of handed) {
      const lying: Lying = { event, receivedAt: now, body: 'delivery log' };
      if (areRecorded) await record(lying);
      else queue.push(lying);
    }
    return { areRecorded, waitingMs: Math.min(...lacking.filter(isUnderWay).map(({ at }) => at)) };
  }

  async function askUndelivered(): Promise<void> {
    const held = world.log.filter(({ status }) => status === 'enqueued' || status === 'retrying');
    askedOldest = held.length === 0 ? null : Math.min(...held.map(({ at }) => at));
    const oldestAt = askedOldest === null ? null : date(askedOldest);
    await noteUndelivered(database, COMPANY, { count: held.length, oldestAt, alarmHours: 0 });
  }

  async function lookAtHooks(): Promise<void> {
    for (const scope of SCOPES) await lookAtHook(scope);
  }

  async function lookAtHook({ projectId, resources }: (typeof SCOPES)[number]): Promise<void> {
    const known = carriesKnown.get(projectId);
    const before = world.hooks.get(projectId);
    const hook = before ?? world.newHook(projectId);
    const refused = projectId === day.refusing ? resources.slice(0, 1) : [];
    const taken = resources.filter((resource) => !refused.includes(resource));
    const dropped = taken.filter((resource) => !hook.triggers.has(resource)).map((name) => name.toLowerCase());
    const isNew = before === undefined || known === undefined;
    const lapsed = isNew || !hook.isActive ? ('all' as const) : dropped;
    world.hooks.set(projectId, hook);
    hook.isActive = true;
    for (const resource of taken) hook.triggers.add(resource);
    for (const resource of refused) hook.triggers.delete(resource);
    const carries = taken.map((resource) => resource.toLowerCase());
    await noteHook(
      database,
      { companyId: COMPANY, projectId, payloadVersion: 'v4.0' },
      {
        seen: {
          ...{
            hookId: hook.id,
            status: 'active',
            destinationUrl: null,
            triggerCount: null,
            wantedKey: null,
            secretKey: null,
          },
          ...{ notOffered: [], refused: [], hasListedTriggers: isNew || dropped.length > 0 },
          carries: isNew || dropped.length > 0 ? carries : null,
        },
        ...{ finding: null, lapsed, agoMs: 0 },
      },
    );
    carriesKnown.set(projectId, { id: hook.id, triggers: carries.join() });
  }

  async function requestFill(place: Place): Promise<void> {
    await requestBackfills(database, {
      request: `${now} ${keyOf(place)}`,
      wanted: [{ ...batchOf(place), position: 0 }],
    });
    areFillsWaiting = true;
  }

  /** One at a time in each scope. */
  async function beginFills(): Promise<void> {
    while (areFillsWaiting) {
      const holder = `h ${now} ${fills.size}`;
      const claimed = await claimBackfill(database, { holder, leaseMs: 24 * HOUR });
      if (claimed === null) break;
      const { projectId, resource } = claimed;
      fills.set(keyOf(claimed), { place: { projectId, resource }, holder, isFlawed: chance(0.2) });
    }
    areFillsWaiting = fills.size > 0;
  }

  /** What it read, a moment later: of a list that carries part of each record only that there is such a record. */
  async function endFill({
    place,
    holder,
    isFlawed,
  }: {
    place: Place;
    holder: string;
    isFlawed: boolean;
  }): Promise<void> {
    const ids = [...world.versions.keys()]
      .filter((id) => id.startsWith(`${keyOf(place)}/`))
      .map((id) => id.split('/').at(-1) ?? '');
    const read = isFlawed ? ids.filter(() => random() < 0.7) : ids;
    if (place.resource !== 'Papers') for (const id of read) store(place, id);
    else {
      const news = read.map((recordId) => ({
        ...batchOf(place),
        recordId,
        parentId: null,
        isDelete: false,
        isRelative: false,
      }));
      await markPending(pool, { news, lane: 'backfill', pace: { delayMs: 0, maxWaitMs: HOUR } });
    }
    const end = {
      holder,
      state: 'done',
      rows: read.length,
      calls: 1,
      detail: null,
      buried: 0,
      isProof: !isFlawed,
    } as const;
    await endBackfill(database, batchOf(place), end);
  }

  async function readLists({ place, asOf }: Comparison): Promise<string[]> {
    const { rows: waiting } = await pool.query<{ id: string }>(
      `select record_id as id from mirror.pending where project_id is not distinct from $1 and resource = $2
        union all select record_id from mirror.dead_letters where kind = 'record' and project_id is not distinct from $1 and resource = $2`,
      [place.projectId, place.resource],
    );
    const own = world.changes.filter((change) => keyOf(change) === keyOf(place) && change.at <= asOf);
    const lacking = own.filter((change) => isLacking(change) && !waiting.some(({ id }) => id === change.recordId));
    return [...new Set(lacking.map(({ recordId }) => recordId))];
  }

  /** What no event tells of is known now. */
  function noteFound(place: Place, asOf: number, ids: readonly string[]): void {
    const silent = world.changes.filter(({ isSilent, at }) => isSilent && at <= asOf);
    for (const change of silent)
      if (keyOf(change) === keyOf(place) && ids.includes(change.recordId) && isLacking(change)) found.add(change);
  }

  async function endComparison({ place, asOf }: Comparison, ids: readonly string[]): Promise<void> {
    // A list that carries part of each record, and a count, see little.
    const isBlind = place.resource === 'Papers' && random() < 0.8;
    const seen = random() < 0.2 ? ('count' as const) : ('listing' as const);
    const isEqual = ids.length === 0 || isBlind || (seen === 'count' && random() < 0.8);
    const rung = !isEqual && place.resource === 'Papers' ? ('sample' as const) : seen;
    if (!isEqual) noteFound(place, asOf, ids);
    const told = {
      ours: 0,
      theirs: 0,
      missing: 0,
      changed: isEqual ? 0 : ids.length,
      extra: 0,
      calls: 1,
      detail: null,
    };
    await inTransaction(database, async (client) => {
      const proof = { rung, asOf: date(asOf).toISOString(), outcome: isEqual ? 'equal' : 'differs', ...told } as const;
      await addProof(client, batchOf(place), proof);
      if (isEqual || random() < 0.5) return;
      const news = ids.map((recordId) => ({
        ...batchOf(place),
        recordId,
        parentId: null,
        isDelete: false,
        isRelative: false,
      }));
      const happenedAt = await readProvedSince(client, batchOf(place));
      await markPending(client, { news, lane: 'repair', pace: { delayMs: 0, maxWaitMs: HOUR }, happenedAt });
    });
  }

  const isLacking = (change: { version: number } & Parameters<typeof idOf>[0]) =>
    (rows.get(idOf(change)) ?? 0) < change.version;

  async function work(): Promise<void> {
    if (isIn(day.disconnected, now)) return beRefused();
    await beConnected();
    await endWhatBegan();
    await recordQueue();
    for (const place of await placesWithNews()) if (!chance(0.1)) await fetch(place);
    if (!day.isCalm) await replayOrDiscard();
    await look();
    await beginAnew();
  }

  async function look(): Promise<void> {
    if (askedOldest !== null) await askUndelivered();
    if (now % HOUR === 0 || random() < 0.1) await lookAtHooks();
    if (now % HOUR === 0 || random() < 0.1) await lookAtLogs();
  }

  async function beConnected(): Promise<void> {
    if (isParked) await unparkScopes(database, COMPANY_SCOPE);
    isParked = false;
  }

  /** Every call is; what was sent before is recorded. */
  async function beRefused(): Promise<void> {
    const reason = chance(0.3) ? ('failing' as const) : ('not_connected' as const);
    const trouble = { reason: isParked ? reason : ('not_connected' as const), detail: '', atLeastMs: 0 };
    if (isParked) await keepParked(database, COMPANY_SCOPE, trouble, PAUSES);
    else await parkScope(database, COMPANY_SCOPE, trouble, PAUSES);
    isParked = true;
    await recordQueue();
    await replayOrDiscard();
  }

  async function endWhatBegan(): Promise<void> {
    for (const [key, fill] of fills) {
      fills.delete(key);
      await endFill(fill);
    }
    if (comparison === null) return;
    comparison.lacking ??= await readLists(comparison);
    if (random() < 0.3) return; // it takes its time
    if (day.isCalm && comparison.lacking.length > 0) {
      comparison.lacking = null; // events may be under way: it looks again
      return;
    }
    await endComparison(comparison, comparison.lacking);
    comparison = null;
  }

  async function beginAnew(): Promise<void> {
    if (now === STEP) for (const place of PLACES) await requestFill(place);
    const place = PLACES[Math.floor(random() * PLACES.length)];
    if (place !== undefined && random() < 0.02) await requestFill(place);
    if (place !== undefined && random() < 0.15) comparison ??= { place, asOf: now, lacking: null };
    await beginFills();
  }

  async function check(): Promise<void> {
    const { rows: told } = await pool.query<{ p: string | null; r: string; ms: number | null; proved: number | null }>({
      name: 'evidence',
      text: `select project_id::text as p, resource as r, (extract(epoch from complete_until) * 1000)::float8 as ms,
          (extract(epoch from proved_since) * 1000)::float8 as proved from mirror.evidence`,
    });
    for (const place of PLACES) {
      const row = told.find(({ p, r }) => p === place.projectId && r === place.resource);
      checkPlace(place, row?.ms == null ? null : row.ms - BEGINS, (row?.proved ?? 0) - BEGINS);
    }
  }

  function checkPlace(place: Place, until: number | null, proved: number): void {
    const about = `day ${seed}, ${keyOf(place)} at ${hours(now)}: complete until ${until === null ? 'never' : hours(until)}`;
    if (until !== null) checkTruth(place, until, about);
    if (until !== null && until > proved) checkStandstill(until, about);
    const isBehind = until === null || until < now - CALM_LAG;
    assert.ok(!(isBehind && day.isCalm && now > 3 * HOUR), `${about}, though all is well`);
  }

  function checkTruth(place: Place, until: number, about: string): void {
    const own = world.changes.filter(
      (change) => keyOf(change) === keyOf(place) && isLacking(change) && (!change.isSilent || found.has(change)),
    );
    const truth = Math.min(now, ...own.map(({ at }) => at));
    assert.ok(until <= truth + 1, `${about}, and a change of ${hours(truth)} is lacking`);
  }

  /** Beyond what is proved. */
  function checkStandstill(until: number, about: string): void {
    const silentSince = receivers.map(({ reportedAt }) => reportedAt).filter((at) => at > now - 23 * HOUR);
    assert.ok(until <= Math.min(...silentSince) + 1, `${about}, though a receiver is silent`);
    assert.ok(until <= (askedOldest ?? now) + 1, `${about}, though Procore holds an older event`);
  }

  await pool.query(`truncate mirror.events, mirror.pending, mirror.batches, mirror.dead_letters, mirror.hooks, mirror.event_gaps, mirror.trigger_sets,
    mirror.delivery_looks, mirror.undelivered, mirror.receivers, mirror.receiver_gaps, mirror.backfills, mirror.proofs, mirror.scopes`);
  for (now = 0; now <= lastsMs; now += STEP) {
    await setNow(BEGINS + now);
    world.work(now - STEP, now);
    await receive();
    if (!isIn(day.idle, now) || isIn(day.disconnected, now)) await work();
    if (day.isCalm || random() < CHECKED) await check();
  }
}

const hours = (ms: number) => (ms / HOUR).toFixed(3);
