// Answers that make no sense: status 200, and JSON that is not what was asked for. None of them is a list that is merely
// empty, because nobody could tell it from the truth.
import { catalogue } from '../catalogue.ts';
import { isObject, numberOf, parseJson } from '../json.ts';
import type { Random } from '../random.ts';
import { repeatedIn } from '../world/repeated-children.ts';
import type { World } from '../world/world.ts';
import type { Answer, Call } from './http-exchange.ts';
import type { Match } from './routes.ts';
import { isInData, isVersion2 } from './show-record.ts';

/** What a call for records asked for, and what it would have got. */
type Asked = { match: Match; right: Answer };

export type MakeNonsense = (call: Call, asked?: Asked) => Answer;

const nonsense = [
  '{}',
  'null',
  '"maintenance"',
  '{"message":"ok"}',
  '{"data":null}',
  '[null]',
  '[{}]',
  '{"errors":[]}',
];

export function createMakeNonsense({ world, random }: { world: World; random: Random }): MakeNonsense {
  return (call, asked) => {
    const bodies = asked?.match.route.kind === 'show' ? [...nonsense, ...instead(call, asked)] : nonsense;
    return { status: 200, body: random.pick(bodies) };
  };

  /** What only show can answer wrongly. */
  function instead(call: Call, { match, right }: Asked): string[] {
    const maimed = right.status === 200 ? withoutChildren(call, match, right.body) : [];
    return ['[]', anotherRecord(call, match), ...maimed];
  }

  /** A record of the right kind, but not the one asked for, and nothing of it but its id. */
  function anotherRecord(call: Call, { route, values }: Match): string {
    const { resource = '', idType } = route.resources[0] ?? {};
    const inData = isInData(call.path, { resource });
    const others = world.all(resource).filter(({ id }) => id !== values.id);
    const id = others.length === 0 ? '1' : random.pick(others).id;
    const isText = idType === 'text' || isVersion2(call.path);
    const record = { id: isText ? id : numberOf(id) };
    return JSON.stringify(inData ? { data: record } : record);
  }
}

/** The right record, but a field that alone tells of its children is missing, or null. */
function withoutChildren(call: Call, { route }: Match, body: string): string[] {
  const answer = parseJson(body);
  const record = isObject(answer) && isVersion2(call.path) ? answer.data : answer;
  if (!isObject(record)) return [];
  return embeddingFields(route.resources.map(({ resource }) => resource))
    .filter((key) => key in record)
    .flatMap((key) => {
      const { [key]: _, ...rest } = record;
      return [rest, { ...record, [key]: null }];
    })
    .map((maimed) => JSON.stringify(isVersion2(call.path) ? { data: maimed } : maimed));
}

/** The fields of such records that hold children which have no endpoint of their own. */
function embeddingFields(resources: readonly string[]): string[] {
  const repeated = resources.flatMap((resource) => repeatedIn(catalogue.get(resource)));
  const embedded = repeated.filter(({ resource }) => (catalogue.get(resource).parent?.embeddedAs ?? null) !== null);
  return [...new Set(embedded.map(({ key }) => key))];
}
