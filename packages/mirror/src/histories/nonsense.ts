// Answers with status 200 that are not what was asked. Never an empty list where a list was asked: that makes sense.

/** What is answered instead. */
export type Asked = {
  /** Of which record, where it is a show; null for a list. */
  id: string | null;
  /** What the answer would have been; null when it would not have been 200. */
  body: unknown;
  /** The field that holds the children, of a resource whose records carry them. */
  embeddedAs: string | null;
};

/** For each kind the body to answer; undefined where it would not be nonsense, or has nothing to do with the question. */
const kinds = {
  'an empty object': () => ({}),
  null: () => null,
  'a text': () => 'text',
  'a message': () => ({ message: 'x' }),
  'a list of null': () => [null],
  'a list of an empty object': () => [{}],
  'no data': () => ({ data: null }),
  'the wrong record': ({ id }: Asked) => (id === null ? undefined : wrongRecord(id)),
  'a parent without the field of its children': (asked: Asked) => withChildren(asked, undefined),
  'a parent whose children are null': (asked: Asked) => withChildren(asked, null),
};

export type NonsenseName = keyof typeof kinds;

export const nonsenseNames = Object.keys(kinds) as NonsenseName[]; // the keys of a literal

/** The body to answer; undefined when the question is to be answered as it should be. */
export function nonsenseFor(name: NonsenseName, asked: Asked): unknown {
  return kinds[name](asked);
}

function wrongRecord(id: string): object {
  const other = id.endsWith('2') ? id.replace(/2$/, '1') : id.replace(/.$/, '2');
  return { id: Number(other), name: 'never was', detail: 'never was' };
}

function withChildren({ body, embeddedAs }: Asked, children: null | undefined): unknown {
  if (embeddedAs === null || body === null) return undefined;
  const change = (record: object) => ({ ...record, [embeddedAs]: children });
  if (!Array.isArray(body)) return change(body as object); // a record of the world
  return body.length === 0 ? undefined : body.map(change);
}
