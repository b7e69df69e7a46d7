import type { DeadLetterChoice } from '@procore-mirror/database';
import type { Command } from 'commander';
import type { PartOptions } from './check-part.ts';
import { UsageError } from './errors.ts';
import { companyOrProjectId } from './options.ts';
import type { Output } from './output.ts';

export type ChoiceOptions = PartOptions & { reason?: string };

/** Adds the options that say which dead letters are meant. */
export function withChoiceOptions(command: Command): Command {
  return command
    .option('--company <id>', 'of this company', companyOrProjectId)
    .option('--project <id>', 'of this project', companyOrProjectId)
    .option('--resource <name>', 'of this resource, as Procore spells it')
    .option('--reason <reason>', 'given up on for this reason');
}

export function choiceOf({ company, project, resource, reason }: ChoiceOptions): DeadLetterChoice {
  return { companyId: company, projectId: project, resource, reason };
}

/** The dead letters that a command is to change: those with these ids, or `--all` that fit. Throws a UsageError. */
export function choiceToChange(ids: readonly string[], options: ChoiceOptions & { all?: boolean }): DeadLetterChoice {
  const choice = choiceOf(options);
  const isNarrowed = Object.values(choice).some((value) => value !== undefined);
  if (ids.length > 0 && (options.all === true || isNarrowed)) {
    throw new UsageError(['name the ids of dead letters, or choose them with --all, not both']);
  }
  if (ids.length === 0 && options.all !== true) {
    throw new UsageError([
      'name the ids of dead letters, or say --all, with --company, --resource and the like or without',
    ]);
  }
  return ids.length > 0 ? { ids } : choice;
}

/** Names those that are not there, on stderr; returns them. */
export function noteUnknown(output: Output, ids: readonly string[], found: readonly string[]): string[] {
  const known = new Set(found);
  const unknown = [...new Set(ids)].filter((id) => !known.has(id));
  for (const id of unknown) output.note(`There is no dead letter ${id}.`);
  return unknown;
}
