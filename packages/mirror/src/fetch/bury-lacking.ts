// The end of a fill: rows that its lists lacked are looked for once more, and what they lack then, too, is gone.
//
//   live rows older than the fill, without news ──▶ more than the cap? ──▶ a pause ──▶ their lists once more, in one go
//     ──▶ asked for one by one ──▶ buried
//
// One reading does not suffice: where a record goes and another comes while it is read, pages shift and no Total tells; and the copy that
// answered may lag behind what we know (docs/procore.md: Reading after an event). A list may leave out more than the reference says, so one
// record that is shown all the same keeps all of them. What is hidden from us stays hidden: list and show hide it for the same reason.
import { isListedByParent, listsAll } from '@procore-mirror/catalogue';
import { countAllRows, findLacking, inTransaction, type LackingRow, noteInnocence } from '@procore-mirror/database';
import { flawOfAnswer, flawOfLook, type Look, lookAtList } from '../ask/look-at-list.ts';
import { askUnlisted } from '../ask/witness.ts';
import { deleteCap } from '../plan/delete-cap.ts';
import { counted } from '../plan/fill-in-words.ts';
import { scopeOf } from '../run/batch-run.ts';
import { realTime } from '../run/clock.ts';
import { buryUnlisted } from '../store/bury-unlisted.ts';
import { type Fill, keepNews } from './fill-parts.ts';

/** Buries what all that was read lacks, and says what stays. Throws what may pass. */
export async function buryLacking(fill: Fill): Promise<void> {
  const { run, place } = fill;
  const { entry, settings } = run;
  const { since } = place;
  if (since === null || !listsAll(entry)) return;
  const reading = { ...scopeOf(run, entry), table: entry.table, since };
  const { pool } = settings.database;
  const lacking = await findLacking(pool, reading, { isLive: true });
  if (lacking.length === 0 && place.buried === 0) await noteInnocence(pool, run.batch);
  const byList = Map.groupBy(lacking, ({ parentId }) => (isListedByParent(entry) ? parentId : null));
  const lists = [...byList].filter(([parentId]) => isProved(fill, parentId));
  const rows = lists.flatMap(([, own]) => own);
  const cap = deleteCap(await countAllRows(pool, reading), settings.deleteCap);
  if (rows.length + place.buried > cap) {
    const { length } = rows;
    return say(fill, `${counted(length, 'row')} that Procore lists no more stay: more than DELETE_CAP (${cap}) allows`);
  }
  if (rows.length > 0) await (settings.clock ?? realTime).sleep(settings.absencePauseMs, run.signal);
  for (const [parentId, own] of lists) await buryFromList(fill, parentId, own, since);
  const doubtful = lacking.length - rows.length;
  if (doubtful > 0 && place.flaw !== null)
    say(fill, `${counted(doubtful, 'row')} that Procore lists no more stay, for a list proves nothing: ${place.flaw}`);
}

/** Was the list of this parent, or the only one, read to its end? Of a parent that is gone itself nobody read any. */
function isProved({ place, parentIds }: Fill, parentId: string | null): boolean {
  if (place.unproved === null || place.unproved.includes(parentId)) return false;
  return parentIds === null ? parentId === null : parentId !== null && parentIds.has(parentId);
}

async function buryFromList(
  fill: Fill,
  parentId: string | null,
  rows: readonly LackingRow[],
  since: string,
): Promise<void> {
  const { run } = fill;
  const look = await lookAtList(run, run.entry, { parentId }).catch(flawOfAnswer);
  const flaw = look instanceof Error ? look.message : await flawOfLook(run, run.entry, { parentId }, look);
  if (look instanceof Error || flaw !== null) {
    return say(
      fill,
      `${counted(rows.length, 'row')} that Procore lists no more stay, for a list proves nothing: ${flaw}`,
    );
  }
  const { version, ids } = look;
  const gone = rows.map(({ id }) => id).filter((id) => !ids.has(id));
  const why = await whyKept(fill, look, gone);
  if (why !== null) return say(fill, `${counted(gone.length, 'row')} that Procore lists no more stay: ${why}`);
  await inTransaction(run.settings.database, async (client) => {
    const proof = { version, since, under: parentId, buriesAll: false };
    const buried = await buryUnlisted(client, run, run.entry, proof, gone);
    const place = { ...fill.place, buried: fill.place.buried + buried };
    await keepNews(fill, place, client);
  });
}

/** Null: they may be buried. */
async function whyKept({ run }: Fill, { ids, isCounted }: Look, gone: readonly string[]): Promise<string | null> {
  if (gone.length === 0) return null;
  // So it is where we lost the permission, too.
  if (ids.size === 0 && !isListedByParent(run.entry)) return 'a list that shows nothing proves nothing';
  const told = await askUnlisted(run, run.entry, { ids: gone, isCounted });
  if (told === 'shown') return 'Procore shows one of them, so its list leaves some out';
  return told === 'unknown' ? 'Procore did not say whether one of them is there' : null;
}

function say(fill: Fill, remark: string): void {
  const { remarks } = fill.place;
  if (!remarks.includes(remark)) fill.place = { ...fill.place, remarks: [...remarks, remark].slice(0, MOST_SAID) };
}

const MOST_SAID = 3;
