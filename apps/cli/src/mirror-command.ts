// `pnpm mirror <command>`: finds the command, gives it its context, and turns what becomes of it into an exit code.
import { DatabaseVersionError } from '@procore-mirror/database';
import { ConfigError, type Secrets } from '@procore-mirror/runtime';
import { Command, CommanderError } from 'commander';
import { addBackfill } from './commands/backfill.ts';
import { addDeadLettersDiscard } from './commands/dead-letters-discard.ts';
import { addDeadLettersList } from './commands/dead-letters-list.ts';
import { addDeadLettersReplay } from './commands/dead-letters-replay.ts';
import { addDeadLettersShow } from './commands/dead-letters-show.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEventsList } from './commands/events-list.ts';
import { addEventsShow } from './commands/events-show.ts';
import { addExplain } from './commands/explain.ts';
import { addForget } from './commands/forget.ts';
import { addHooksApply } from './commands/hooks-apply.ts';
import { addHooksPlan } from './commands/hooks-plan.ts';
import { addHooksRotateSecret } from './commands/hooks-rotate-secret.ts';
import { addHooksStatus } from './commands/hooks-status.ts';
import { addMigrate } from './commands/migrate.ts';
import { addRepair } from './commands/repair.ts';
import { addReset } from './commands/reset.ts';
import { addResources } from './commands/resources.ts';
import { addScopesList } from './commands/scopes-list.ts';
import { addScopesProbe } from './commands/scopes-probe.ts';
import { addStatus } from './commands/status.ts';
import { addVerify } from './commands/verify.ts';
import { createContext } from './context.ts';
import type { Env } from './env.ts';
import { ServerUnreachableError, UsageError } from './errors.ts';
import { type ExitCode, exitCode } from './exit-code.ts';
import { createOutput } from './output.ts';
import type { Run } from './run.ts';

type Surroundings = {
  env: Env;
  version: string;
  /** Where `npm start` says what it runs. */
  startFile: string;
  secrets: Secrets;
  /** Aborted when the process is to end. */
  signal: AbortSignal;
  write: (text: string) => void;
  writeError: (text: string) => void;
  /** How wide the terminal is that errors go to; left out where they go elsewhere. */
  columns?: () => number;
};

/** Runs one command and returns its exit code; everything it has to say goes to `write` and `writeError`. */
export async function mirrorCommand(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const o = withoutSecrets(surroundings);
  let code: ExitCode = exitCode.fine;
  const run: Run = async ({ json = false }, work) => {
    const output = createOutput({ json, write: o.write, writeError: o.writeError, columns: o.columns });
    code = await work(createContext({ ...o, output }));
  };
  const program = createProgram(run, o);
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.fine : exitCode.usedWrongly;
    if (o.signal.aborted) {
      o.writeError('error: told to end before it was done\n');
      return exitCode.foundSomethingWrong;
    }
    for (const line of explain(error)) o.writeError(`${line}\n`);
    return judge(error);
  }
}

/** The same, but nothing that is printed shows a secret. */
function withoutSecrets(options: Surroundings): Surroundings {
  return {
    ...options,
    write: (text) => options.write(options.secrets.redact(text)),
    writeError: (text) => options.writeError(options.secrets.redact(text)),
  };
}

/** All commands; `run` gets the work of the one that is parsed. */
export function createProgram(run: Run, options: Pick<Surroundings, 'version' | 'write' | 'writeError'>): Command {
  const program = new Command('mirror')
    .description('Looks after a mirror of Procore data in Postgres.')
    .version(options.version)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: options.write, writeErr: options.writeError })
    .addHelpText('after', '\nExit codes: 0 fine, 1 found something wrong, 2 used wrongly, 3 could not reach a server.');
  addMigrate(program, run);
  addResources(program, run);
  addStatus(program, run);
  addDoctor(program, run);
  addExplain(program, run);
  addBackfill(program, run);
  addRepair(program, run);
  addVerify(program, run);
  const hooks = program
    .command('hooks')
    .description('What has Procore tell us of changes: one hook in each company and project.');
  addHooksPlan(hooks, run);
  addHooksApply(hooks, run);
  addHooksStatus(hooks, run);
  addHooksRotateSecret(hooks, run);
  const events = program.command('events').description('The log of what Procore told us.');
  addEventsList(events, run);
  addEventsShow(events, run);
  const deadLetters = program
    .command('dead-letters')
    .description('Records whose fetch was given up, and bodies that could not be read.');
  addDeadLettersList(deadLetters, run);
  addDeadLettersShow(deadLetters, run);
  addDeadLettersReplay(deadLetters, run);
  addDeadLettersDiscard(deadLetters, run);
  const scopes = program
    .command('scopes')
    .description('What is parked: companies and resources that refuse us or fail.');
  addScopesList(scopes, run);
  addScopesProbe(scopes, run);
  addForget(program, run);
  addReset(program, run);
  return program;
}

function judge(error: unknown): ExitCode {
  if (error instanceof ConfigError || error instanceof UsageError) return exitCode.usedWrongly;
  return error instanceof ServerUnreachableError ? exitCode.serverUnreachable : exitCode.foundSomethingWrong;
}

function explain(error: unknown): string[] {
  if (error instanceof ConfigError || error instanceof UsageError)
    return [...error.problems.map((problem) => `error: ${problem}`), ...fixOf(error)];
  const lines = [`error: ${messageOf(error)}`];
  for (let cause = causeOf(error); cause !== undefined; cause = causeOf(cause))
    lines.push(`because: ${messageOf(cause)}`);
  return [...lines, ...fixOf(error)];
}

function fixOf(error: unknown): string[] {
  if (error instanceof ConfigError)
    return ['fix: set it in the environment or in .env (see .env.example); `npm start` needs none of it'];
  if (error instanceof ServerUnreachableError)
    return [
      `fix: ${error.fix ?? 'start that server, or correct its address; the one of `npm start` runs only as long as that does'}`,
    ];
  return error instanceof DatabaseVersionError ? ['fix: do what the message says, then try again'] : [];
}

function causeOf(error: unknown): unknown {
  if (error instanceof AggregateError) return error.errors[0];
  return error instanceof Error ? error.cause : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
