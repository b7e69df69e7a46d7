import type { Database, DeadLetterChoice } from '@procore-mirror/database';
import { type Replayed, replayDeadLetters, usualPace } from '@procore-mirror/mirror';
import type { DeliveryQueue } from '@procore-mirror/queue';
import { ConfigError } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import { checkPart } from '../check-part.ts';
import type { Context } from '../context.ts';
import { type ChoiceOptions, choiceToChange, noteUnknown, withChoiceOptions } from '../dead-letter-choice.ts';
import { replaySchema } from '../env.ts';
import { ServerUnreachableError } from '../errors.ts';
import { exitCode } from '../exit-code.ts';
import { openQueue } from '../open-queue.ts';
import { counted } from '../output.ts';
import type { Run } from '../run.ts';

type Options = ChoiceOptions & { all?: boolean; json?: boolean };

export function addDeadLettersReplay(parent: Command, run: Run): void {
  withChoiceOptions(parent.command('replay [ids...]'))
    .description(
      'Has the workers try dead letters again: records are fetched, bodies recorded. One goes when that succeeds.',
    )
    .option('--all', 'all of them, or all that fit the other options')
    .option('--json', 'print the result as JSON')
    .action((ids: string[], options: Options) =>
      run(options, async (context) => {
        const choice = choiceToChange(ids, options);
        const replayed = await context.withDatabase(async (database) => {
          await checkPart(context, database, options);
          return replay(context, database, choice);
        });
        const { records, deliveries, notMirrored } = replayed;
        const unknown = noteUnknown(context.output, ids, [...records, ...deliveries, ...notMirrored]);
        for (const id of notMirrored) context.output.note(`${id} is of a resource that is not mirrored.`);
        context.output.result({ records: records.length, deliveries: deliveries.length, notMirrored, unknown }, () =>
          inWords(replayed),
        );
        return unknown.length + notMirrored.length === 0 ? exitCode.fine : exitCode.foundSomethingWrong;
      }),
    );
}

async function replay(context: Context, database: Database, choice: DeadLetterChoice): Promise<Replayed> {
  const { catalogue } = context.catalogue();
  const env = context.read(replaySchema);
  let opening: Promise<DeliveryQueue> | undefined;

  /** The queue is opened for the first body: without one it may be down. */
  async function handOver(delivery: { body: Buffer; receivedAt: Date }): Promise<void> {
    opening ??= openQueue(context);
    try {
      await (await opening).add({ v: 1, kind: 'delivery', ...delivery, key: null, trace: null, via: 'replay' });
    } catch (cause) {
      if (cause instanceof ConfigError) throw cause;
      throw new ServerUnreachableError('the queue took no more bodies; records will be fetched again', { cause });
    }
  }

  try {
    const pace = { delayMs: env.FETCH_DELAY_MS, maxWaitMs: usualPace.maxWaitMs };
    return await replayDeadLetters({ database, catalogue, ...pace, handOver }, choice);
  } finally {
    const queue = await opening?.catch(() => undefined);
    await queue?.close();
  }
}

function inWords({ records, deliveries }: Replayed): string {
  const said = [
    ...(records.length > 0 ? [`${counted(records.length, 'record')} will be fetched again`] : []),
    ...(deliveries.length > 0 ? [`${counted(deliveries.length, 'body', 'bodies')} handed to the workers again`] : []),
  ];
  return said.length === 0 ? 'Nothing to replay.' : `${said.join(', ')}.`;
}
