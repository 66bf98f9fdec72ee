import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exists } from '@plinth/host';
import { openToolbox } from '@plinth/toolbox';
import { scanTree } from '../scan-tree.ts';
import { checkPolicy } from './check-policy.ts';
import { gatherFacts } from './gather-facts.ts';
import { parsePolicy } from './policy.ts';
import { readCapabilities } from './read-capabilities.ts';

const POLICY = new URL('../../../../os/policy.yaml', import.meta.url);

/** Real programs of the toolbox, each under a name that says nothing, and the rule that must still find it. */
const disguised = {
  'helper-a': { from: 'usr/bin/dash', rule: 'shell' },
  'helper-b': { from: 'usr/bin/perl', rule: 'interpreter' },
  'helper-c': { from: 'usr/bin/python3', rule: 'interpreter' },
  'helper-d': { from: 'usr/bin/x86_64-linux-gnu-objdump', rule: 'development-tool' },
  'helper-e': { from: 'usr/bin/x86_64-linux-gnu-ld.bfd', rule: 'development-tool' },
} as const;
/** Programs that have nothing forbidden about them. */
const harmless = [
  'usr/bin/zstd',
  'usr/bin/openssl',
  'usr/bin/qemu-img',
  'usr/bin/systemctl',
  'usr/sbin/veritysetup',
];

test('the product policy finds real programs under other names, and leaves others alone', async () => {
  const toolbox = await openToolbox();
  const policy = parsePolicy(await readFile(POLICY, 'utf8'), 'os/policy.yaml');
  const rootDir = await mkdtemp(join(tmpdir(), 'plinth-disguised-'));
  try {
    await mkdir(join(rootDir, 'usr/libexec'), { recursive: true });
    const expected: string[] = [];
    for (const [name, { from, rule }] of Object.entries(disguised)) {
      if (!(await exists(join(toolbox.root, from)))) continue;
      await copyFile(join(toolbox.root, from), join(rootDir, 'usr/libexec', name));
      expected.push(`${rule} /usr/libexec/${name}`);
    }
    assert.ok(expected.length >= 3, 'the toolbox has a shell, an interpreter and binutils');
    for (const from of harmless) {
      await copyFile(join(toolbox.root, from), join(rootDir, 'usr/libexec', from.replaceAll('/', '-')));
    }
    const tree = await scanTree(rootDir, new Map());
    const facts = await gatherFacts(tree, policy, {
      packages: [],
      readCapabilities: (folder) => readCapabilities(toolbox, folder),
    });
    const { findings } = checkPolicy(tree, policy, facts, '2026-11-21');
    const kinds: readonly string[] = policy.forbidden.map(({ rule }) => rule);
    const found = findings
      .filter(({ rule }) => kinds.includes(rule))
      .map(({ rule, subject }) => `${rule} ${subject}`);
    assert.deepEqual(found.sort(), expected.sort());
  } finally {
    await rm(rootDir, { recursive: true });
  }
});
