import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expandPath } from './expand-path.ts';

test('ids are put in path and query, as often as they are named', () => {
  const template =
    '/rest/v1.0/purchase_order_contracts/{contract_id}/line_items/{id}?project_id={project_id}&again={id}';
  expect(
    expandPath(template, { contract_id: '5', id: '01JMYXMZRBVKK0PC6XS8SA4QRE', project_id: '9223372036854775807' }),
  ).toBe(
    '/rest/v1.0/purchase_order_contracts/5/line_items/01JMYXMZRBVKK0PC6XS8SA4QRE?project_id=9223372036854775807&again=01JMYXMZRBVKK0PC6XS8SA4QRE',
  );
});

test.each([
  '',
  '.',
  '..',
  '../../rest/v1.0/me',
  '1/2',
  '1?x=y',
  '1&x',
  '1%2f',
  '1#',
  '1 ',
  '1\n',
  'ä',
  '{id}',
  '$&',
  'x'.repeat(65),
])('what is no id is refused: %j', (id) => {
  expect(() => expandPath('/x/{id}', { id })).toThrow(RangeError);
});

test.each(['id', 'constructor', '__proto__', ''])('a value that is missing is refused: {%s}', (name) => {
  expect(() => expandPath(`/x/{${name}}`, { other: '1' })).toThrow(RangeError);
});

test('no value ever leads out of its place', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (id) => {
      try {
        expect(new URL(expandPath('/a/{id}/b?c={id}', { id }), 'http://host').pathname).toBe(`/a/${id}/b`);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});
