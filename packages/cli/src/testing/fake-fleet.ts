import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeNode, type FakeWorld, fakeWorld, serveFakeNode } from '@plinth/api/testing';
import { removeTree } from '@plinth/host';
import { changeContexts, contextsPath } from '../client/contexts-file.ts';
import { runCli } from '../run-cli.ts';

/** Fake nodes on loopback that are the contexts of a client of their own. */
export interface FakeFleet extends AsyncDisposable {
  readonly world: FakeWorld;
  readonly nodes: ReadonlyMap<string, FakeNode>;
  /** A folder of its own that is removed at the end. */
  readonly folder: string;
  /** Runs a command line of plinth against these nodes. */
  readonly plinth: (...argv: string[]) => Promise<Ran>;
  /** Runs one that has to succeed, and gives what it printed. */
  readonly ok: (...argv: string[]) => Promise<string>;
  /** Runs one that has to fail with such an error and print nothing, and gives its exit code. */
  readonly refused: (pattern: RegExp, ...argv: string[]) => Promise<number>;
}

interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A name, or a name with routes of services that the test brings itself. */
type FakeNodeSpec = string | { readonly name: string; readonly more: FakeNode['more'] };

/** fakeFleet serves one fake node for each name; the first is the current context. */
export async function fakeFleet(...specs: FakeNodeSpec[]): Promise<FakeFleet> {
  const names = specs.map((spec) => (typeof spec === 'string' ? spec : spec.name));
  const folder = await mkdtemp(join(tmpdir(), 'plinth-fleet-'));
  const env = {
    PLINTHCONFIG: join(folder, 'config'),
    PLINTH_STATE_DIR: join(folder, 'state'),
    PLINTH_CONFIG_DIR: join(folder, 'config-dir'),
    HOME: folder,
  };
  const world = fakeWorld();
  const nodes = new Map(names.map((name) => [name, new FakeNode(name, world)]));
  for (const spec of specs) if (typeof spec !== 'string') nodes.get(spec.name)?.more.push(...spec.more);
  const served = await Promise.all(
    [...nodes.values()].map(async (node) => ({ node, at: await serveFakeNode(node) })),
  );
  const [first] = served;
  const [certificate, key] = [join(folder, 'client.crt'), join(folder, 'client.key')];
  await writeFile(certificate, first?.at.certificatePem ?? '');
  await writeFile(key, first?.at.keyPem ?? '', { mode: 0o600 });
  const contexts = Object.fromEntries(
    served.map(({ node, at }) => [
      node.name,
      { endpoint: `127.0.0.1:${at.port}`, fingerprint: at.fingerprint, certificate, key },
    ]),
  );
  await changeContexts(contextsPath(env), () => ({ current: names[0], contexts }));
  const plinth = async (...argv: string[]): Promise<Ran> => {
    const out: string[] = [];
    const err: string[] = [];
    const surroundings = {
      stdout: { write: (text: string | Uint8Array) => out.push(Buffer.from(text).toString()) },
      stderr: { write: (text: string | Uint8Array) => err.push(Buffer.from(text).toString()) },
      env,
    };
    const exitCode = await runCli(argv, surroundings, new AbortController().signal);
    return { exitCode, stdout: out.join(''), stderr: err.join('') };
  };
  return {
    ...{ world, nodes, folder, plinth },
    ok: async (...argv) => {
      const { exitCode, stdout, stderr } = await plinth(...argv);
      assert.equal(exitCode, 0, `${argv.join(' ')}: ${stderr}`);
      return stdout;
    },
    refused: async (pattern, ...argv) => {
      const { exitCode, stdout, stderr } = await plinth(...argv);
      assert.notEqual(exitCode, 0, argv.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, pattern);
      return exitCode;
    },
    [Symbol.asyncDispose]: async () => {
      for (const { at } of served) await at[Symbol.asyncDispose]();
      await removeTree(folder);
    },
  };
}
