import { catalogue } from '@procore-mirror/catalogue';
import { ProcoreFormatError, parseWithTextIds, readJson } from '@procore-mirror/procore';
import { describe, expect, test } from 'vitest';
import { checkPage, checkShow, fieldsRead, readHolders, readItems } from './read-answer.ts';

const BARE = catalogue.get('RFIs');
const WRAPPED = catalogue.get('Change Order Change Reasons');
const EITHER = catalogue.get('Budget Changes');
const GROUPED = catalogue.get('Meetings');
const NAMED = catalogue.get('Project Dates');
const UPLOADS = catalogue.get('Document Upload');

const fields = fieldsRead(catalogue);
const kept = (text: string) => ({ fields: readJson(Buffer.from(text), fields) });
const whole = (text: string) => ({ fields: parseWithTextIds(text) });

/** The verdict on what the client keeps, which must be that on the whole of the answer. */
function verdict<T>(judge: (answer: { fields: unknown }) => T, text: string): T {
  const outcomes = [kept, whole].map((read) => {
    try {
      return { value: judge(read(text)) };
    } catch (error) {
      return { error };
    }
  });
  expect(outcomes[0]).toEqual(outcomes[1]);
  return judge(kept(text));
}

describe('a list', () => {
  test.each([
    ['bare', BARE, '[{"id": 1}, {"id": "2"}]', ['1', '2']],
    ['bare and empty', BARE, '[]', []],
    ['with ids beyond what a number holds', BARE, '[{"id": 9007199254740993}]', ['9007199254740993']],
    ['with ids that are spelled as fractions', BARE, '[{"id": 50.0}, {"id": "51.00"}, {"id": 0}]', ['50', '51', '0']],
    ['in a wrapper', WRAPPED, '{"data": [{"id": "1"}]}', ['1']],
    ['in an empty wrapper', WRAPPED, '{"data": []}', []],
    ['in one of two forms', EITHER, '{"data": [{"id": 1}]}', ['1']],
    ['in the other of two forms', EITHER, '[{"id": 1}]', ['1']],
    ['in groups', GROUPED, '[{"group_title": "June", "meetings": [{"id": 1}]}, {"meetings": [{"id": 2}]}]', ['1', '2']],
    ['in no group', GROUPED, '[]', []],
    ['ungrouped in its field', GROUPED, '{"meetings": [{"id": 1}]}', ['1']],
    ['beside something else', NAMED, '{"schedule_dates": {"id": 9}, "project_dates": [{"id": 1}]}', ['1']],
    ['of ULIDs', UPLOADS, '{"data": [{"id": "01KKEZ6PX3AZJ38KKBX6RYEJSW"}]}', ['01KKEZ6PX3AZJ38KKBX6RYEJSW']],
  ])('%s is read', (_, entry, text, ids) => {
    expect(verdict((answer) => checkPage(answer, entry), text).flaw).toBeNull();
    expect(verdict((answer) => readItems(answer, entry), text).map(({ id }) => id)).toEqual(ids);
  });

  test('some elements of which have no id is read as far as it goes, and says that it is flawed', () => {
    const text = `[{"id": 1}, {"id": null}, {}, null, [], {"id": -1}, {"id": 1.5}, {"id": "no id"},
      {"id": 99999999999999999999}, {"id": 1e25}, {"id": "007"}, {"id": "01KKEZ6PX3AZJ38KKBX6RYEJSW"}]`;
    expect(verdict((answer) => checkPage(answer, BARE), text).flaw).toBe('11 of 12 elements have no id');
    expect(verdict((answer) => readItems(answer, BARE), text)).toEqual([{ id: '1', parentId: null }]);
  });

  test('of ULIDs has no numbers for ids', () => {
    const text = '{"data": [{"id": "01KKEZ6PX3AZJ38KKBX6RYEJSW"}, {"id": 50.0}]}';
    expect(verdict((answer) => checkPage(answer, UPLOADS), text).ids).toEqual(['01KKEZ6PX3AZJ38KKBX6RYEJSW']);
  });

  const nonsense = ['{}', 'null', '"maintenance"', '42', 'true', '{"message": "ok"}', '{"errors": []}', '{"id": 1}'];
  test.each([
    ...nonsense.flatMap((text) => [BARE, WRAPPED, EITHER, GROUPED, NAMED].map((entry) => [text, entry] as const)),
    ['[null]', BARE],
    ['[{}]', BARE],
    ['[[{"id": 1}]]', BARE],
    ['[1, 2]', BARE],
    ['["1"]', BARE],
    ['[{"name": "no id"}]', BARE],
    ['{"data": []}', BARE],
    ['{"data": [{"id": 1}]}', BARE],
    ['[{"id": 1}]', WRAPPED],
    ['[]', WRAPPED],
    ['{"data": null}', WRAPPED],
    ['{"data": {}}', WRAPPED],
    ['{"data": {"data": []}}', WRAPPED],
    ['{"data": [{}]}', EITHER],
    ['{"data": "[]"}', EITHER],
    ['[{"group_title": "June"}]', GROUPED],
    ['[{"group_title": "June", "meetings": null}]', GROUPED],
    ['[{"meetings": [{"id": 1}]}, {"meetings": {}}]', GROUPED],
    ['[{"id": 1}]', GROUPED],
    ['{"schedule_dates": {}}', NAMED],
    ['{"project_dates": null}', NAMED],
  ] as const)('%s is malformed, and not empty: $1.resource', (text, entry) => {
    expect(() => verdict((answer) => checkPage(answer, entry), text)).toThrow(ProcoreFormatError);
  });

  test('tells which parents its items name', () => {
    const text = '[{"id": 1, "contract_id": 7}, {"id": 2, "contract_id": null}, {"id": 3}]';
    const parentsIn = (json: string, resource: string) =>
      verdict((answer) => readItems(answer, catalogue.get(resource)), json).map(({ parentId }) => parentId);
    const parents = parentsIn(text, 'Potential Change Orders');
    expect(parents).toEqual(['7', null, null]);
    expect(parentsIn('[{"id": 1, "holder": {"id": 8}}]', 'Direct Cost Line Items')).toEqual(['8']);
  });
});

describe('a show', () => {
  test.each([
    ['bare', BARE, '{"id": 1}', 'none'],
    ['with its id as text', BARE, '{"id": "1"}', 'none'],
    ['in one of two forms', EITHER, '{"data": {"id": 1}}', 'data'],
    ['in the other of two forms', EITHER, '{"id": 1}', 'none'],
  ])('%s is the record', (_, entry, text, wrapper) => {
    expect(verdict((answer) => checkShow(answer, entry, '1'), text)).toBe(wrapper);
  });

  test.each([
    ...['{}', '[]', 'null', '"ok"', '1', '{"message": "ok"}', '{"id": 2}', '{"id": null}', '{"id": [1]}'],
    ...['[{"id": 1}]', '{"data": {"id": 1}}', '{"rfi": {"id": 1}}', '{"id": "01"}'],
  ])('%s is no record 1', (text) => {
    expect(() => verdict((answer) => checkShow(answer, BARE, '1'), text)).toThrow('no record with this id');
  });

  test('is told apart by every digit of its id', () => {
    expect(() => checkShow(kept('{"id": 9007199254740992}'), BARE, '9007199254740993')).toThrow(ProcoreFormatError);
    expect(checkShow(kept('{"id": 9007199254740993}'), BARE, '9007199254740993')).toBe('none');
  });

  test('that is none is named without its content', () => {
    expect(() => checkShow(kept('{"secret": "of somebody"}'), BARE, '1')).toThrow(/an object with secret$/);
  });
});

describe('children are told about by records that hold a list of them', () => {
  test.each([
    ['{"id": 1, "change_items": []}', 'change_items', ['1']],
    ['{"id": 1, "change_items": [{"id": 5}]}', 'change_items', ['1']],
    ['{"id": 1, "change_items": null}', 'change_items', []],
    ['{"id": 1, "change_items": {}}', 'change_items', []],
    ['{"id": 1, "change_items": "none"}', 'change_items', []],
    ['{"id": 1}', 'change_items', []],
    ['[{"id": 1, "change_items": []}, {"id": 2}]', 'change_items', ['1']],
    ['[]', 'change_items', []],
    ['{"id": 1, "a": []}', 'a.b', ['1']],
    ['{"id": 1, "a": [{"b": []}, {"b": [{"id": 5}]}]}', 'a.b', ['1']],
    ['{"id": 1, "a": [{"b": []}, {}]}', 'a.b', []],
    ['{"id": 1, "a": [{"b": null}]}', 'a.b', []],
    ['{"id": 1, "a": null}', 'a.b', []],
  ])('%s in %s', (text, field, ids) => {
    const read = (text: string, wanted: string[]) => ({
      fields: readJson(Buffer.from(text), new Set(['id', ...wanted])),
    });
    expect([...readHolders(read(text, field.split('.')), BARE, 'none', field)]).toEqual(ids);
    expect([...readHolders(whole(text), BARE, 'none', field)]).toEqual(ids);
  });
});
