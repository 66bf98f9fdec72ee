import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readXml, type XmlElement } from './read-xml.ts';
import { writeXml, type XmlOut } from './write-xml.ts';

const read = (text: string) => readXml(text, 'test');

test('elements, attributes, references, CDATA and comments', () => {
  const root = read(
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- a --><a:r xmlns:a="x" k=\'1 &gt; 0\'><b/>t&#x41;&#66;&amp;<![CDATA[<&]]></a:r>',
  );
  assert.deepEqual({ ...root.attributes }, { 'xmlns:a': 'x', k: '1 > 0' });
  assert.deepEqual([root.name, root.text, root.elements.map(({ name }) => name)], ['r', 'tAB&<&', ['b']]);
});

test('what could expand, reach out, or is not well-formed is refused', () => {
  for (const text of [
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<a>&x;</a>',
    '<a>&#0;</a>',
    '<a>&#xd800;</a>',
    '<a>& </a>',
    '<a>\u0001</a>',
    '<a><?php x ?></a>',
    '<a k="1" k="2"/>',
    '<a k=1/>',
    '<a k="1"j="2"/>',
    '<a k="<"/>',
    '<a></b>',
    '<a>',
    '<a/><b/>',
    '<a/>text',
    '',
    '<?xml version="1.0" encoding="UTF-16"?><a/>',
  ])
    assert.throws(() => read(text), { code: 'advisory/document-refused' }, text);
});

test('a million nested elements end at the limit, not at the stack', () => {
  assert.throws(() => read('<a>'.repeat(1_000_000)), {
    code: 'advisory/document-refused',
    message: /nests deeper/,
  });
  const wide = `<a>${'<b/>'.repeat(50)}</a>`;
  assert.throws(() => readXml(wide, 'test', { bytes: 1000, depth: 4, nodes: 20 }), {
    code: 'advisory/document-refused',
  });
});

test('a name that is also one of every object is only a name', () => {
  const root = read('<a __proto__="x" constructor="y"/>');
  assert.equal(Object.getPrototypeOf(root.attributes), Object.prototype);
  assert.equal(Object.getOwnPropertyDescriptor(root.attributes, '__proto__')?.value, 'x');
});

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9.-]{0,8}$/);
const text = fc
  .string({ unit: 'grapheme', minLength: 1 })
  .filter((value) => !/[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(value));
const { element } = fc.letrec<{ element: XmlOut }>((tie) => ({
  element: fc.record({
    name,
    attributes: fc.dictionary(name, text, { maxKeys: 3 }),
    inside: fc.oneof({ depthSize: 'small' }, text, fc.array(tie('element'), { maxLength: 3 })),
  }),
}));

/** What was written, as far as it was text: spaces between elements are for the eye. */
function shape({ name, attributes, elements, text }: XmlElement): unknown {
  return { name, attributes: { ...attributes }, inside: elements.length > 0 ? elements.map(shape) : text };
}

function expected({ name, attributes, inside = '' }: XmlOut): unknown {
  const list =
    typeof inside === 'string' ? inside : inside.flatMap((child) => (child ? [expected(child)] : []));
  return { name, attributes: { ...attributes }, inside: list.length === 0 ? '' : list };
}

test('what is written is read back as it was', () => {
  fc.assert(
    fc.property(element, (tree) => {
      assert.deepEqual(shape(read(writeXml(tree))), expected(tree));
    }),
  );
});

test('whatever comes, it is read or refused', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(60), (noise, at) => {
      const whole = writeXml({ name: 'a', inside: [{ name: 'b', attributes: { k: 'v' }, inside: 'text' }] });
      try {
        read(`${whole.slice(0, at)}${noise}${whole.slice(at)}`);
      } catch (reason) {
        assert.equal((reason as { code?: string }).code, 'advisory/document-refused');
      }
    }),
  );
});
