import type { DeadLetterChoice } from '@procore-mirror/database';
import { printable } from '@procore-mirror/runtime';
import { type Command, InvalidArgumentError } from 'commander';
import type { PartOptions } from './check-part.ts';
import { UsageError } from './errors.ts';
import { companyOrProjectId } from './options.ts';
import type { Output } from './output.ts';

export type ChoiceOptions = PartOptions & { reason?: string };

/** Why something is given up, as docs/operations.md explains; and `answer_` with the status of Procore's answer. */
const REASONS = ['malformed_answer', 'answer_too_large', 'not_json', 'not_an_object', 'unknown_version'].concat([
  'missing_field',
  'bad_id',
  'bad_kind',
  'bad_resource',
  'missing_project',
  'bad_report',
]);

/** One that there is. A slip of the pen, answered with "there are none", would look like good news. */
function knownReason(text: string): string {
  if (REASONS.includes(text) || /^answer_[1-5]\d\d$/.test(text)) return text;
  throw new InvalidArgumentError(`There are ${REASONS.join(', ')} and answer_ with a status, as answer_422.`);
}

/** Adds the options that say which dead letters are meant. */
export function withChoiceOptions(command: Command): Command {
  return command
    .option('--company <id>', 'of this company', companyOrProjectId)
    .option('--project <id>', 'of this project', companyOrProjectId)
    .option('--resource <name>', 'of this resource, as Procore spells it')
    .option('--reason <reason>', 'given up on for this reason', knownReason);
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
  for (const id of unknown) output.note(`There is no dead letter ${printable(id)}.`);
  return unknown;
}
