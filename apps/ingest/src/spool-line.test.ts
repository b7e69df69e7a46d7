import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromLines, toLine } from './spool-line.ts';

const deliveries = fc.array(
  fc
    .record({
      body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      receivedAt: fc.date({ min: new Date(0), max: new Date('2099-12-31'), noInvalidDate: true }),
      // What a newer receiver may have written, too.
      label: fc.dictionary(
        fc.string().map((name) => `x${name}`),
        fc.jsonValue(),
      ),
    })
    .map(({ label, ...rest }) => ({ ...JSON.parse(JSON.stringify(label)), ...rest })),
);

test('what was written is read, whatever the bytes', () => {
  fc.assert(
    fc.property(deliveries, (written) => {
      expect(fromLines(written.map(toLine).join(''))).toEqual({ envelopes: written, damaged: 0 });
    }),
  );
});

test('a file that was cut off anywhere gives the whole lines before the cut, and no damage', () => {
  fc.assert(
    fc.property(deliveries, fc.nat(), (written, seed) => {
      const lines = written.map(toLine);
      const text = lines.join('');
      const cut = text.slice(0, seed % (text.length + 1));
      const whole = cut.split('\n').length - 1;
      expect(fromLines(cut)).toEqual({ envelopes: written.slice(0, whole), damaged: 0 });
    }),
  );
});

test('a changed character in a line is damage, and the other lines are read', () => {
  fc.assert(
    fc.property(deliveries, fc.nat(), fc.nat(), (written, which, where) => {
      fc.pre(written.length > 0);
      const lines = written.map(toLine);
      const index = which % lines.length;
      const line = lines[index] ?? '';
      const at = where % (line.length - 1);
      lines[index] = `${line.slice(0, at)}${line[at] === '~' ? '!' : '~'}${line.slice(at + 1)}`;
      expect(fromLines(lines.join(''))).toEqual({ envelopes: written.toSpliced(index, 1), damaged: 1 });
    }),
  );
});

test('a line of before versions is read, one with an odd end is kept, and one without a checksum of its own is damage', () => {
  const withSum = (content: string) => `${hash('sha256', content, 'hex').slice(0, 16)} ${content}\n`;
  const old = withSum('2026-06-01T10:00:00.123Z eA==');
  const empty = withSum('2026-06-01T10:00:00.123Z ');
  const odd = withSum('2026-06-01T10:00:00.123Z eA== rubbish of a kind');
  const at = { receivedAt: new Date('2026-06-01T10:00:00.123Z') };
  expect(fromLines(`${old}${empty}${odd}${odd.replace('eA', 'eB')}`)).toEqual({
    envelopes: [
      { ...at, body: Buffer.from('x') },
      { ...at, body: Buffer.alloc(0) },
      { ...at, body: Buffer.from('x'), v: 'rubbish of a kind' },
    ],
    damaged: 1,
  });
});
