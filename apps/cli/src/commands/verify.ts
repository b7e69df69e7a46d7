import { type CataloguedResource, isProvable } from '@procore-mirror/catalogue';
import { listCompared, listFoundDifferences } from '@procore-mirror/database';
import {
  isSelected,
  requestSample,
  requestVerification,
  type Scope,
  watchVerification,
  withShows,
} from '@procore-mirror/mirror';
import { type Command, Option } from 'commander';
import { type ChosenPart, watchWorkers, withScopes } from '../ask-workers.ts';
import type { PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { companyOrProjectId, sampleSize } from '../options.ts';
import type { Run } from '../run.ts';
import { type Verified, verifiedAsJson, verifiedInWords, whetherEqual } from '../verified-in-words.ts';
import { planVerify } from './verify-plan.ts';

type Options = PartOptions & {
  full?: boolean;
  sample?: number;
  plan?: boolean;
  repair?: boolean;
  yes?: boolean;
  detach?: boolean;
  json?: boolean;
};

export function addVerify(parent: Command, run: Run): void {
  parent
    .command('verify')
    .description(
      'Has the workers compare the mirror with Procore, and names what differs. May be cut off and repeated: the work goes on. Exit code 1 when something differs or could not be compared, 3 without a worker.',
    )
    .option('--company <id>', 'this company only', companyOrProjectId)
    .option('--project <id>', 'this project only', companyOrProjectId)
    .option('--resource <name>', 'this resource only')
    .option('--full', 'read all lists: which records are missing, changed, or gone')
    .addOption(
      new Option('--sample <n>', 'compare so many records, chosen at random, with what Procore shows of each')
        .argParser(sampleSize)
        .conflicts('full'),
    )
    .option('--repair', 'have what differs fetched, and what is gone marked deleted')
    .option('--yes', 'with --repair: mark deleted what is gone, even if it is more than DELETE_CAP')
    .addOption(
      new Option('--plan', 'compare nothing: print calls of each rung, minutes and the share of an hour').conflicts([
        ...['detach', 'repair', 'yes'],
      ]),
    )
    .option('--detach', 'return when the work is asked for')
    .option('--json', 'print the result as JSON')
    .action((options: Options) =>
      run(options, (context) => (options.plan ? planVerify(context, options) : verify(context, options))),
    );
}

async function verify(context: Context, options: Options): Promise<ExitCode> {
  const { output, signal } = context;
  return withScopes(context, options, async ({ database, part, scopes, unlisted }) => {
    const { full = false, sample = null, repair = false, yes = false } = options;
    const { catalogue } = part;
    const task = { repairs: repair, buriesAll: yes };
    const requests =
      sample === null
        ? await requestVerification(database, {
            ...{ catalogue, scopes, task: { ...task, rung: full ? 'listing' : 'climb', sample } },
          })
        : await requestSample(database, {
            ...{ catalogue, random: Math.random, task: { ...task, rung: 'sample', sample } },
            scopes: scopes.map((scope) => withShows(scope, part)),
          });
    const watched = await watchWorkers(context, {
      ...{ database, command: 'verify', detach: options.detach },
      answer: { json: { requests, unlisted }, words: 'Verify: the workers compare' },
      watch: () => watchVerification({ database, requests, display: output, signal }),
    });
    if (watched === null) return unlisted.length > 0 ? exitCode.foundSomethingWrong : exitCode.fine;
    const verified: Verified = {
      ...{ ...watched, unlisted, repairs: repair, isSample: sample !== null },
      compared: await listCompared(database.pool, requests),
      differences: await listFoundDifferences(database.pool, requests),
      notProvable: sample === null ? notProvable(part, scopes) : [],
    };
    output.result(verifiedAsJson(verified), () => verifiedInWords(verified));
    return whetherEqual(verified) ? exitCode.fine : exitCode.foundSomethingWrong;
  });
}

/** Of which no list proves what is gone: neither its own, nor those of what it is listed by. */
function notProvable({ catalogue, resources, resource: only }: ChosenPart, scopes: readonly Scope[]): string[] {
  const compared = new Set(scopes.flatMap((scope) => scope.resources));
  const isMeant = ({ list, resource }: CataloguedResource) =>
    compared.has(resource) || (list === null && only === undefined);
  return catalogue.mirrored
    .filter((entry) => isSelected(entry, { resources }) && !isProvable(entry) && isMeant(entry))
    .map(({ resource }) => resource);
}
