import { serverOf } from './show-address.ts';

/** An open connection to a Postgres, or to what stands before it. */
type Session = { query: (statement: string) => Promise<{ rows: unknown[] }> };

const ROUNDS = 3;

/**
 * Do both connections, open at the same time, keep a server process of their own? Not behind a pooler that gives a process out
 * for one transaction at a time: what a session sets, prepares or listens to is then lost, or somebody else's. Such a pooler
 * gives the process that was free last, or the next; so one connection asks for its process before and while the other has one.
 */
export async function keepSessions(one: Session, other: Session): Promise<boolean> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await processOf(one, 'select');
    const others = await processOf(other, 'begin; select').catch(noneIfRefused);
    if (others === null) return false;
    try {
      if (before === others || before !== (await processOf(one, 'select'))) return false;
    } finally {
      await other.query('rollback');
    }
    if (others !== (await processOf(other, 'select'))) return false;
  }
  return true;
}

/** What to tell who gave the address of such a pooler. */
export function poolerProblem(url: string): string {
  return (
    `at ${serverOf(url)} a pooler gives sessions out for one transaction at a time, which loses what a session sets and listens to: ` +
    'name the server itself, or a pooler in session mode, in DATABASE_URL_DIRECT (in QUEUE_URL, if that is where it stands)'
  );
}

/** One that gives sessions out for a single statement refuses transactions: a connection exception, in SQL's terms. */
function noneIfRefused(error: unknown): null {
  if (error instanceof Error && 'code' in error && /^08/.test(String(error.code)) && 'severity' in error) return null;
  throw error;
}

async function processOf(session: Session, select: 'select' | 'begin; select'): Promise<unknown> {
  const answer = await session.query(`${select} pg_backend_pid() as pid`);
  // Of several statements pg gives the answers as a list.
  const last = Array.isArray(answer) ? answer.at(-1) : answer;
  return last.rows[0]?.pid;
}
