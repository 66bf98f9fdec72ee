import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeTerminal } from './fake-terminal.ts';

test('FakeTerminal overwrites in place and erases as a terminal does', () => {
  const terminal = createFakeTerminal(20, 5);
  terminal.write('first\nsecond\nthird\n');
  terminal.write('\u001b[2A\rSE\u001b[0K\n');
  assert.equal(terminal.text(), 'first\nSE\nthird');
  terminal.write('\u001b[0J');
  assert.equal(terminal.text(), 'first\nSE');
});

test('FakeTerminal wraps long lines and keeps the cursor off what scrolled away', () => {
  const terminal = createFakeTerminal(4, 2);
  terminal.write('abcdef\n1\n2\n');
  assert.equal(terminal.text(), 'abcd\nef\n1\n2');
  terminal.write('\u001b[9A\rX');
  assert.equal(terminal.text(), 'abcd\nef\n1\nX');
});
