import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { removeTree } from '@plinth/host';
import { buildSelinuxPolicy, loadSelinuxSpec } from '@plinth/image/testing';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { parse } from 'yaml';

// What "plinth migrate check" says that SELinux keeps from pods (PLM009), held against the policy that the image is built
// with. The compiler is asked: a neverallow rule that stands is a refusal, one that it finds broken is a permission.

const root = join(import.meta.dirname, '../..');
const TABLE = join(root, 'packages/advisor/data/check/plinth-labels.yaml');

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
  let folder: string;
  let toolbox: Toolbox;
  let entries: readonly Entry[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-pod-paths-'));
    toolbox = await openToolbox();
    entries = (parse(await readFile(TABLE, 'utf8')) as { paths: Entry[] }).paths;
  });
  after(() => removeTree(folder));

  /** Compiles the image's policy with more rules; gives the folder of the result. */
  async function compile(name: string, rules: readonly string[]): Promise<string> {
    const [sources, output] = [join(folder, `${name}-sources`), join(folder, name)];
    await cp(join(root, 'os/selinux'), sources, { recursive: true });
    await writeFile(join(sources, 'zz-claims.cil'), `${rules.join('\n')}\n`);
    const spec = await loadSelinuxSpec(sources);
    await buildSelinuxPolicy({ packageDir: toolbox.root, folder: sources, ...spec }, output, toolbox);
    return join(output, 'default');
  }

  test('what it is said to refuse it refuses, and paths carry the labels that are named', async () => {
    const refused = entries.flatMap(({ pods, labels, sockets = [] }) => [
      ...labels.flatMap((label) => [
        ...(pods === 'none' ? never(label, READS) : []),
        ...(pods === 'none' || pods === 'read' ? never(label, WRITES) : []),
      ]),
      ...sockets.flatMap((domain) => never(domain, ['(unix_stream_socket (connectto))'])),
    ]);
    assert.ok(refused.length > 50);
    const policy = await compile('refused', [...new Set(refused)]);
    for (const { path, labels } of entries) {
      const answer = await toolbox.run(
        'matchpathcon',
        ['-n', '-m', 'dir', '-f', '/mnt/policy/contexts/files/file_contexts', path],
        { binds: [{ host: policy, inside: '/mnt/policy', readOnly: true }] },
      );
      const context = answer.stdout.toString().trim();
      // File systems of the kernel have their labels from its rules, not from the contexts.
      if (context !== '<<none>>')
        assert.ok(labels.includes(context.split(':')[2] ?? ''), `${path}: ${context}`);
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
    const isBroken = (reason: unknown) =>
      reason instanceof PlinthError && reason.message.includes('Failed to generate binary');
    await assert.rejects(
      compile('control', ['(neverallow container_t no_such_t (file (read)))']),
      (reason) => !isBroken(reason),
    );
    // The compiler ends at the first rule that is broken, so each is asked for by itself.
    for (const [name, rules] of claims) await assert.rejects(compile(name, rules), isBroken, name);
  });
});
