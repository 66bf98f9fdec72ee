import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '@plinth/image/testing';
import { readSpecs, type SpecResult } from '../ginkgo-report.ts';

/** How a run of Kubernetes' own end-to-end suite is bounded. */
export interface E2eOptions {
  /** e2e.test. */
  readonly program: string;
  /** Processes that share the specs; those that must be alone run afterwards. */
  readonly shards: number;
  /** Bound of each of the two rounds. */
  readonly timeoutMs: number;
}

/** runE2e runs the specs of these full names against a control plane that has no nodes. @returns what became of each */
export async function runE2e(
  plane: ControlPlane,
  names: readonly string[],
  options: E2eOptions,
): Promise<SpecResult[]> {
  const alone = names.filter((name) => name.includes('[Serial]'));
  const together = names.filter((name) => !name.includes('[Serial]'));
  const shards = Array.from({ length: options.shards }, (_, shard) =>
    together.filter((_name, index) => index % options.shards === shard),
  );
  const first = await Promise.all(
    shards.map((shard, index) => runShard(plane, shard, `shard-${index}`, options)),
  );
  return [...first.flat(), ...(await runShard(plane, alone, 'alone', options))];
}

async function runShard(
  plane: ControlPlane,
  names: readonly string[],
  label: string,
  { program, timeoutMs }: E2eOptions,
): Promise<SpecResult[]> {
  if (names.length === 0) return [];
  const report = join(plane.dir, `${label}.json`);
  const log = await open(join(plane.dir, `${label}.log`), 'w');
  const child = spawn(
    program,
    [
      `--kubeconfig=${plane.at('super-admin.conf')}`,
      `--kubectl-path=${plane.at('kubectl')}`,
      `--e2e-output-dir=${plane.dir}`,
      ...['--provider=skeleton', '--dump-logs-on-failure=false'],
      // No node is waited for, and none is looked for.
      ...['--allowed-not-ready-nodes=-1', '--num-nodes=1'],
      // Bounds of its own that a machine with other work may miss; what is wrong fails each time.
      '--ginkgo.flake-attempts=2',
      ...['--ginkgo.no-color', '--ginkgo.succinct', '--ginkgo.seed=1', `--ginkgo.timeout=${timeoutMs}ms`],
      `--ginkgo.json-report=${report}`,
      ...names.map((name) => `--ginkgo.focus=${escapeForGo(name)}$`),
    ],
    {
      cwd: plane.dir,
      env: { PATH: `${plane.dir}:/usr/bin:/bin`, HOME: plane.dir, TMPDIR: plane.dir },
      stdio: ['ignore', log.fd, log.fd],
    },
  );
  // Its status says whether a spec failed, which the report says too.
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  await log.close();
  const wanted = new Set(names);
  const text = await readFile(report, 'utf8').catch(async (cause: unknown) => {
    throw new Error(`No report: ${(await readFile(join(plane.dir, `${label}.log`), 'utf8')).slice(-2000)}`, {
      cause,
    });
  });
  return readSpecs(text).filter(({ name, state }) => wanted.has(name) || state === 'failed');
}

/** A text as a regular expression of Go (RE2) that matches only it. */
function escapeForGo(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}
