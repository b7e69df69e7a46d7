// Answers the requests of the runs of one history, each at its time: some are held, some are nonsense.
import { type NonsenseName, nonsenseFor } from './nonsense.ts';
import type { ScriptedWorld } from './scripted-world.ts';
import type { WorkerRun } from './worker-run.ts';
import { type Answer, answerTo, embeddedField, type Question } from './world-answers.ts';

export type Responder = {
  respond: (url: URL) => Promise<Answer>;
  /** The next answer that it can be is this nonsense. */
  answerNonsense: (name: NonsenseName) => void;
  /** Happens between two pages of the next listing that has several; null: nothing does. */
  shiftNextList: (change: (() => Promise<void>) | null) => void;
};

/** A record among well neighbours that is answered nonsense nine times is given up, so it must not come to that. */
const MOST_TROUBLE = 5;

export function createResponder(
  world: ScriptedWorld,
  runs: ReadonlyMap<number, WorkerRun>,
  tell: (line: string) => void,
): Responder {
  let nonsense: NonsenseName | null = null;
  let shift: (() => Promise<void>) | null = null;
  let trouble = 0;

  async function respond(url: URL): Promise<Answer> {
    const run = runs.get(Number(url.searchParams.get('run')));
    if (run === undefined) return { status: 404, body: {}, headers: {} };
    const isHeld = run.hold?.at === run.seen.requests ? run.hold.what : null;
    run.seen.requests += 1;
    if (isHeld === 'request') await run.gate.pass();
    if (Number(url.searchParams.get('page') ?? 1) > 1) await shiftNow();
    const { question, ...usual } = answerTo(world, url, run.number);
    const answer = question === null ? usual : withNonsense(usual, question);
    tell(`  run ${run.number}: ${decodeURIComponent(url.pathname + url.search)} ▸ ${inShort(answer)}`);
    if (isHeld === 'answer') await run.gate.pass();
    return answer;
  }

  async function shiftNow(): Promise<void> {
    const change = shift;
    shift = null;
    await change?.();
  }

  function withNonsense(answer: Answer, { entry, id }: Question): Answer {
    if (nonsense === null) return answer;
    const usual = answer.status === 200 ? answer.body : null;
    const body = nonsenseFor(nonsense, { id, body: usual, embeddedAs: embeddedField(world, entry) });
    if (body === undefined) return answer;
    nonsense = null;
    return { status: 200, body, headers: {} };
  }

  return {
    respond,
    answerNonsense: (name) => {
      trouble += 1;
      if (trouble <= MOST_TROUBLE) nonsense = name;
    },
    shiftNextList: (change) => {
      trouble += 1;
      shift = trouble <= MOST_TROUBLE ? change : null;
    },
  };
}

function inShort({ status, body }: Answer): string {
  return status === 200 ? JSON.stringify(body) : String(status);
}
