import { listsAll } from '@procore-mirror/catalogue';
import { listCompared, listFoundDifferences } from '@procore-mirror/database';
import { isSelected, isWorkerThere, requestVerification, type Scope, watchVerification } from '@procore-mirror/mirror';
import { allConfigured, procoreHosts } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import type { PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { backfillSchema, procoreSchema } from '../env.ts';
import { ServerUnreachableError } from '../errors.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { companiesOf, findScopes } from '../find-scopes.ts';
import { companyOrProjectId } from '../options.ts';
import type { Run } from '../run.ts';
import { type Verified, verifiedAsJson, verifiedInWords, whetherEqual } from '../verified-in-words.ts';

type Options = PartOptions & { full?: boolean; repair?: boolean; yes?: boolean; detach?: boolean; json?: boolean };

const NO_WORKER = {
  fix: 'start one (`pnpm worker`): what was asked for is kept, and the same command shows how far it is',
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
    .option('--repair', 'have what differs fetched, and what is gone marked deleted')
    .option('--yes', 'with --repair: mark deleted what is gone, even if it is more than DELETE_CAP')
    .option('--detach', 'return when the work is asked for')
    .option('--json', 'print the result as JSON')
    .action((options: Options) => run(options, (context) => verify(context, options)));
}

async function verify(context: Context, options: Options): Promise<ExitCode> {
  const { output, signal } = context;
  const [env, { catalogue, resources }] = await allConfigured(
    () => context.read(backfillSchema),
    () => context.catalogue(),
    () => procoreHosts(context.read(procoreSchema)),
  );
  const part = {
    companyIds: companiesOf(env.PROCORE_COMPANY_IDS, options.company),
    projectId: options.project,
    resource: options.resource,
  };
  return context.withDatabase(async (database) => {
    const { scopes, unlisted } = await context.withProcore(database, (client) =>
      findScopes(context, {
        ...{ client, database, catalogue, resources, wanted: env.MIRROR_PROJECTS },
        ...part,
      }),
    );
    const { full = false, repair = false, yes = false } = options;
    const task = { rung: full ? 'listing' : 'bin', sample: null, repairs: repair, buriesAll: yes } as const;
    const requests = await requestVerification(database, { catalogue, scopes, task });
    if (options.detach === true) {
      if (!(await isWorkerThere(database))) throw new ServerUnreachableError('no worker was seen for 30 s', NO_WORKER);
      output.result({ state: 'under way', requests, unlisted }, () => 'Verify: the workers compare');
      return unlisted.length > 0 ? exitCode.foundSomethingWrong : exitCode.fine;
    }
    const watched = await watchVerification({ database, requests, display: output, signal }).catch((cause) => {
      signal.throwIfAborted();
      throw new ServerUnreachableError('the database does not answer any more', { cause });
    });
    if (watched.end === 'no worker') throw new ServerUnreachableError('no worker was seen for 30 s', NO_WORKER);
    const compared = namesOf(scopes);
    const verified: Verified = {
      ...{ ...watched, unlisted, repairs: repair },
      compared: await listCompared(database.pool, requests),
      differences: await listFoundDifferences(database.pool, requests),
      notProvable: catalogue.mirrored
        .filter((entry) => isSelected(entry, { resources }) && !listsAll(entry))
        .filter(({ list, resource }) => compared.has(resource) || (list === null && options.resource === undefined))
        .map(({ resource }) => resource),
    };
    output.result(verifiedAsJson(verified), () => verifiedInWords(verified));
    return whetherEqual(verified) ? exitCode.fine : exitCode.foundSomethingWrong;
  });
}

function namesOf(scopes: readonly Scope[]): ReadonlySet<string> {
  return new Set(scopes.flatMap(({ resources }) => resources));
}
