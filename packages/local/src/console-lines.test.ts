import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainText, readLines } from './console-lines.ts';

function linesOf(chunks: readonly string[]): string[] {
  const lines = readLines();
  return [...chunks.flatMap((chunk) => lines.push(chunk)), ...lines.end()];
}

test('readLines takes control sequences of firmware, systemd and terminals out', () => {
  const output = [
    '\u001b[2J\u001b[01;01H\u001b[=3h\u001b[2J\u001b[01;01HBdsDxe: loading Boot0001\r\r\n',
    '[\u001b[0;32m  OK  \u001b[0m] Started \u001b[0;1;39mcontainerd\u001b[0m.\r\n',
    '\u001b]0;title\u0007\u001b(Bplain\u0000 text  \n\r\n',
  ];
  assert.deepEqual(linesOf(output), [
    'BdsDxe: loading Boot0001',
    '[  OK  ] Started containerd.',
    'plain text',
  ]);
});

test('readLines gives the same lines however the output is cut', () => {
  const piece = fc.constantFrom('a', 'b c', '\r', '\n', '\r\n', '\u001b[0m', 'ü');
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat({ max: 40 })), (pieces, cuts) => {
      const text = pieces.join('');
      const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
      const chunks = places.slice(1).map((end, index) => text.slice(places[index], end));
      assert.deepEqual(linesOf(chunks), linesOf([text]));
    }),
  );
});

test('readLines keeps a bounded part of a line that never ends', () => {
  const lines = readLines();
  for (let i = 0; i < 1000; i++) assert.deepEqual(lines.push('x'.repeat(1000)), []);
  assert.equal(lines.end()[0]?.length, 4096);
});

test('plainText leaves no control character in any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(plainText(text), /\p{Cc}/u);
    }),
  );
});
