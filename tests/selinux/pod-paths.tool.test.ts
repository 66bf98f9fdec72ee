import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse } from 'yaml';
import { openPolicyLab, type PolicyLab } from '../testkit/policy-lab.ts';

// What "plinth migrate check" says that SELinux keeps from pods (PLM009), held against the policy that the image is built
// with. The compiler is asked: a neverallow rule that stands is a refusal, one that it finds broken is a permission.

const TABLE = join(import.meta.dirname, '../../packages/advisor/data/check/plinth-labels.yaml');

interface Entry {
  readonly path: string;
  readonly pods: 'write' | 'read' | 'none' | 'unknown';
  readonly labels: readonly string[];
  readonly sockets?: readonly string[];
}

const WRITES = ['(file (write append create))', '(dir (write add_name create))'];
const READS = ['(file (read))'];
const never = (kind: string, permissions: readonly string[]) =>
  permissions.map((each) => `(neverallow container_t ${kind} ${each})`);

suite('what SELinux keeps from pods, by the compiled policy', () => {
  let lab: PolicyLab;
  let entries: readonly Entry[];

  before(async () => {
    lab = await openPolicyLab();
    entries = (parse(await readFile(TABLE, 'utf8')) as { paths: Entry[] }).paths;
  });
  after(() => lab?.[Symbol.asyncDispose]());

  test('what it is said to refuse it refuses, and paths carry the labels that are named', async () => {
    const refused = entries.flatMap(({ pods, labels, sockets = [] }) => [
      ...labels.flatMap((label) => [
        ...(pods === 'none' ? never(label, READS) : []),
        ...(pods === 'none' || pods === 'read' ? never(label, WRITES) : []),
      ]),
      ...sockets.flatMap((domain) => never(domain, ['(unix_stream_socket (connectto))'])),
    ]);
    assert.ok(refused.length > 50);
    const policy = await lab.compile('refused', [...new Set(refused)]);
    for (const { path, labels } of entries) {
      const type = await lab.typeOf(policy, path, 'dir');
      // File systems of the kernel have their labels from its rules, not from the contexts.
      if (type !== undefined) assert.ok(labels.includes(type), `${path}: ${type}`);
    }
  });

  test('what it is said to let pods do it lets them, with one of the labels at least', async () => {
    const claims = new Map<string, readonly string[]>();
    for (const { pods, labels } of entries)
      if (pods === 'write' || pods === 'read') {
        const name = `${pods}-${labels.join('-')}`;
        claims.set(name, [
          '(typeattribute claimed)',
          `(typeattributeset claimed (${labels.join(' ')}))`,
          `(neverallow container_t claimed (file (${pods})))`,
        ]);
      }
    assert.ok(claims.size > 5);
    await assert.rejects(
      lab.compile('control', ['(neverallow container_t no_such_t (file (read)))']),
      (reason) => !lab.isBroken(reason),
    );
    // The compiler ends at the first rule that is broken, so each is asked for by itself.
    for (const [name, rules] of claims) await assert.rejects(lab.compile(name, rules), lab.isBroken, name);
  });
});
