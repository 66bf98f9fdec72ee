import type { Manifest } from '@plinth/updates';
import { readFacts, readManifest } from './read-release.ts';

/** What a person wants to know of a release at a glance. Nothing of it is checked: that is verifyRelease's part. */
export interface ReleaseSummary {
  readonly name: string;
  readonly version: string;
  readonly created: string;
  readonly architecture: string;
  readonly rootHash: string;
  readonly kernelVersion: string;
  readonly commandLine: string;
  readonly agentVersion: string;
  /** What may execute on its nodes, see os/ipe; "" when the release does not say. */
  readonly execute: string;
  readonly packageCount: number;
  readonly fileCount: number;
  /** In bytes: root, verity, uki, disk. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly setuidFiles: readonly string[];
  readonly enabledUnits: readonly string[];
  /** What enabled socket units listen on. */
  readonly ports: readonly string[];
  readonly certificates: Manifest['certificates'];
  readonly partitions: Manifest['partitions'];
  readonly artefacts: Manifest['artefacts'];
  readonly pcrs: Manifest['pcrs'];
  readonly chain: Manifest['chain'];
}

/**
 * inspectRelease sums a release folder up.
 * @throws release/not-found, release/manifest-invalid, release/facts-invalid, host/io
 */
export async function inspectRelease(folder: string): Promise<ReleaseSummary> {
  const [manifest, facts] = await Promise.all([readManifest(folder), readFacts(folder)]);
  const { name, version, created, architecture, rootHash, certificates, partitions, artefacts, pcrs, chain } =
    manifest;
  const files = facts.files.filter(({ kind }) => kind === 'file');
  return {
    ...{ name, version, created, architecture, rootHash, certificates, partitions, artefacts, pcrs, chain },
    kernelVersion: manifest.kernel.version,
    commandLine: manifest.kernel.commandLine,
    agentVersion: manifest.agent.version,
    execute: facts.execute,
    packageCount: manifest.packages.count,
    fileCount: files.length,
    sizes: facts.sizes,
    setuidFiles: files.filter(({ mode }) => (mode & 0o6000) !== 0).map(({ path }) => path),
    enabledUnits: facts.enabledUnits,
    ports: facts.listeners
      .filter(({ enabled }) => enabled)
      .map(({ kind, address }) => `${address} (${kind})`),
  };
}
