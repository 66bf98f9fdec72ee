import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EXAMPLE_CERTIFICATE, indented } from '../framework/example-certificate.ts';
import { understood } from '../testing/user-data.ts';

const PAGE = new URL('../../../../docs/reference/sources.md', import.meta.url);

test('the user data in the reference is read as it says, with a certificate filled in', () => {
  const page = readFileSync(PAGE, 'utf8');
  const examples = [...page.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, text = '']) =>
    text.replaceAll(/^( *)-----BEGIN CERTIFICATE-----\n *\.\.\.$/gm, (_, indent: string) =>
      indented(EXAMPLE_CERTIFICATE, indent.length),
    ),
  );
  const read = examples.map((text) => understood(text));
  assert.deepEqual(
    read.map(({ form }) => form),
    ['multipart', 'cloud-config'],
  );
  for (const { config } of read) {
    assert.equal(config.machine.name, 'node-1');
    assert.equal(config.api.clientAuthorities.length, 1);
  }
});
