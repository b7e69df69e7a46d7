// The answer to "did we lose anything last night?", as a line among others, and whole.
import { counted, type Losses, namesInWords } from '@procore-mirror/mirror';
import { ago, table } from './output.ts';

const MOST_TIMES = 3;

/** A line of `status`; what else there is to know `--since` tells. */
export function lossesInShort(losses: Losses): string {
  const { missed, gaps, events, deadLetters } = losses;
  const parts = [
    lostInShort(losses),
    ...(missed.length === 0 ? [] : [`${counted(missed.length, 'time')} without receiver`]),
    ...(gaps.length === 0 ? [] : [`${counted(gaps.length, 'time')} without events`]),
    ...(events.repaired === 0
      ? []
      : [`${events.isAtLeast ? 'at least ' : ''}${counted(events.repaired, 'event')} brought in by repair`]),
    ...(deadLetters === 0 ? [] : [counted(deadLetters, 'new dead letter')]),
  ];
  return parts.join(', ');
}

function lostInShort({ lost, because }: Losses): string {
  if (lost === 'nothing known') return 'nothing is known to be lost';
  return `${lost === 'something' ? VERDICTS.something : 'not known yet whether anything was lost'} (${because.join(', ')})`;
}

const VERDICTS: Record<Losses['lost'], string> = {
  'nothing known': 'nothing is known to be lost',
  'not known yet': 'it is not known yet whether anything was lost',
  something: 'something is lacking, or may be',
};

const GAPS: Record<Losses['gaps'][number]['because'], string> = {
  hook: 'no hook or trigger was there',
  disconnected: 'the app was disconnected',
  ignored: 'events were ignored, as settings were then',
  discarded: 'somebody discarded dead letters',
};

/** The whole of it: the answer, then what it follows from. */
export function lossesInWords(losses: Losses, now: Date): string {
  const { since, lost, because, events, gaps, deadLetters } = losses;
  const atLeast = events.isAtLeast ? 'at least ' : '';
  const why = because.length === 0 ? '' : `: ${because.join(', ')}`;
  const rows = [
    ['events', `${atLeast}${events.total} came`],
    ['deliveries missed', missedInWords(losses, now)],
    ['brought in', broughtIn(losses, now)],
    ['not told of', gaps.length === 0 ? 'nothing' : gaps.map((gap) => gapInWords(gap, now)).join('; ')],
    ...(losses.notComparable.length === 0
      ? []
      : [
          [
            'not comparable',
            `${namesInWords(losses.notComparable)}: no list shows them, so what changed then is unknown until its next event`,
          ],
        ]),
    ['dead letters', deadLetters === 0 ? 'no new one' : `${deadLetters} new`],
    ...completeInWords(losses, now),
  ];
  const head = `Since ${momentOf(since, now)} UTC (${ago(since, now)}) ${VERDICTS[lost]}${why}`;
  return `${head}\n${table(['', ''], rows).trimStart()}`;
}

function missedInWords({ missed }: Losses, now: Date): string {
  if (missed.length === 0) return 'at no time: a receiver ran, and refused nothing';
  const shown = missed
    .slice(-MOST_TIMES)
    .map((time) => `${spanOf(time, now)} UTC (Procore's log ${time.isRead ? 'was read since' : 'is not read yet'})`);
  const more = missed.length > MOST_TIMES ? `, and ${missed.length - MOST_TIMES} earlier` : '';
  return `${counted(missed.length, 'time')} without receiver, or with a 503 or the spool: ${shown.join(', ')}${more}`;
}

function broughtIn({ events }: Losses, now: Date): string {
  if (events.repaired === 0)
    return events.isAtLeast ? 'no event among the newest' : 'no event: deliveries missed none that the log has';
  const last = events.repairedAt === null ? '' : `, the last ${momentOf(events.repairedAt, now)} UTC`;
  return `${events.isAtLeast ? 'at least ' : ''}${counted(events.repaired, 'event')} that deliveries missed, from Procore's log${last}`;
}

function gapInWords({ because, scopes, since, until }: Losses['gaps'][number], now: Date): string {
  const when = since === null ? `until ${momentOf(until, now)}` : spanOf({ since, until }, now);
  return `${when} UTC ${GAPS[because]} (${counted(scopes, 'scope')})`;
}

const HELD_BY: Record<string, string> = {
  oldest_pending_at: 'news that is not fetched yet, or given up',
  gap_since: 'a time without events that is not compared yet',
  hook_until: 'its hook, which was last seen active then',
  undelivered_at: 'what Procore has yet to deliver',
  receivers_at: 'the last report of a receiver',
  log_until: "Procore's log, which was last read then",
  differs_since: 'a comparison that differed',
  proved_since: 'its last proof: nothing later is shown',
};

function completeInWords({ complete, since }: Losses, now: Date): [string, string][] {
  if (complete === null) return [];
  const { filled, known, earliest, earlier } = complete;
  if (earliest === null) return [['complete until', `not known of any of ${counted(filled, 'filled table')} yet`]];
  const { until, companyId, projectId, resource, heldBy } = earliest;
  const place = projectId === null ? `company ${companyId}` : `project ${projectId}`;
  const others = filled - known;
  return [
    [
      'complete until',
      `${momentOf(until, now)} UTC at least, ${counted(known, 'table')}${earlier === 0 ? '' : `; ${earlier} of them not beyond ${momentOf(since, now)}`}${others > 0 ? `; of ${others} it is not known (see docs/sql.md: complete_until)` : ''}`,
    ],
    ['the earliest', `${resource} of ${place}, held by ${HELD_BY[heldBy] ?? heldBy}`],
  ];
}

function spanOf({ since, until }: { since: string; until: string }, now: Date): string {
  const [from, to] = [momentOf(since, now), momentOf(until, now)];
  return `${from}–${from.slice(0, -5) === to.slice(0, -5) ? to.slice(-5) : to}`;
}

/** `02:10`, or with its day where it is not of the last 24 hours. */
function momentOf(moment: string, now: Date): string {
  const iso = new Date(moment).toISOString();
  const isLate = now.getTime() - Date.parse(moment) < 24 * 3_600_000;
  return isLate ? iso.slice(11, 16) : iso.slice(0, 16).replace('T', ' ');
}
