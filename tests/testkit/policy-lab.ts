import { cp, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { removeTree } from '@plinth/host';
import { buildSelinuxPolicy, loadSelinuxSpec } from '@plinth/image/testing';
import { openToolbox } from '@plinth/toolbox';

const SOURCES = join(import.meta.dirname, '../../os/selinux');

/** The policy of the image, compiled with claims: a neverallow rule that stands is a refusal, one that it breaks a permission. */
export interface PolicyLab extends AsyncDisposable {
  /** Compiles the policy with more rules of CIL. @returns its folder @throws host/command-failed when a rule is broken, or wrong */
  compile(name: string, rules: readonly string[]): Promise<string>;
  /** Whether a compilation failed for a rule that is broken, not for one that is wrong. */
  isBroken(reason: unknown): boolean;
  /** The type that the file contexts give a path; undefined where the file system itself gives the label. */
  typeOf(policy: string, path: string, mode: 'file' | 'dir'): Promise<string | undefined>;
}

/** openPolicyLab opens the toolbox with the compiler of policies. */
export async function openPolicyLab(): Promise<PolicyLab> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-policy-'));
  const toolbox = await openToolbox();
  return {
    async compile(name, rules) {
      const [sources, output] = [join(folder, `${name}-sources`), join(folder, name)];
      await cp(SOURCES, sources, { recursive: true });
      await writeFile(join(sources, 'zz-claims.cil'), `${rules.join('\n')}\n`);
      const spec = await loadSelinuxSpec(sources);
      await buildSelinuxPolicy({ packageDir: toolbox.root, folder: sources, ...spec }, output, toolbox);
      return join(output, 'default');
    },
    isBroken: (reason) =>
      reason instanceof PlinthError && reason.message.includes('Failed to generate binary'),
    async typeOf(policy, path, mode) {
      const contexts = '/mnt/policy/contexts/files/file_contexts';
      const { stdout } = await toolbox.run('matchpathcon', ['-n', '-m', mode, '-f', contexts, path], {
        binds: [{ host: policy, inside: '/mnt/policy', readOnly: true }],
      });
      return stdout.toString().trim().split(':')[2];
    },
    [Symbol.asyncDispose]: () => removeTree(folder),
  };
}
