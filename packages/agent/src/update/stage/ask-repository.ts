import { PlinthError } from '@plinth/base';
import { ARCHITECTURE, type Channel, decideUpdate, type Update, type UpdateDecision } from '@plinth/updates';
import type { StateStore } from '../../sys/state-store.ts';
import type { Sys } from '../../sys/sys.ts';
import { type Fetcher, openFetcher } from '../fetch/fetcher.ts';
import { openRepository, type ReleaseRepository } from '../repository/open-repository.ts';
import { DEFAULT_STALL_MS, type FailedVersion, type StageLimits, type UpdateSource } from '../types.ts';
import { type ReleaseFiles, releaseFiles } from './release-files.ts';

/** Where signed metadata that were seen are kept, below the state folder of plinthd. */
const TUF_FOLDER = 'update/tuf';
/** Authorities the image trusts, with those of the machine config. */
const SYSTEM_AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';
const AUTHORITIES_LIMIT_BYTES = 4 * 1024 * 1024;

export interface AskParts {
  readonly sys: Pick<Sys, 'readFile' | 'modifiedAtMs' | 'nowMs'>;
  readonly store: StateStore;
  readonly trustedRootPath?: string;
  /** Before a repository that failed is asked again; for tests. */
  readonly pauseMs?: number;
}

export interface NodeFacts {
  readonly booted: string;
  readonly failed: readonly FailedVersion[];
  readonly kubernetesMinors: readonly string[];
}

/** openSource connects to nothing yet. @throws update/bad-source */
export async function openSource(
  { sys, pauseMs }: AskParts,
  source: UpdateSource,
  limits: StageLimits | undefined,
  signal: AbortSignal,
): Promise<Fetcher> {
  const caPem = source.caPem ?? (await systemAuthorities(sys));
  const { bytesPerSecond, stallMs = DEFAULT_STALL_MS } = limits ?? {};
  return openFetcher({
    addresses: source.addresses,
    caPem,
    bytesPerSecond,
    stallMs,
    signal,
    ...(pauseMs === undefined ? {} : { pauseMs }),
  });
}

async function systemAuthorities(sys: AskParts['sys']): Promise<string | undefined> {
  const bytes = await sys.readFile(SYSTEM_AUTHORITIES, AUTHORITIES_LIMIT_BYTES).catch(() => undefined);
  return bytes?.toString('utf8');
}

/** askRepository brings signed metadata up to date and reads a channel. @throws as openRepository, update/channel-invalid */
export async function askRepository(
  { sys, store, trustedRootPath }: AskParts,
  fetcher: Fetcher,
  channel: string,
  signal: AbortSignal,
): Promise<{ readonly repository: ReleaseRepository; readonly channel: Channel }> {
  const repository = await openRepository({
    ...{ sys, fetcher, signal, store: inFolder(store, TUF_FOLDER) },
    ...(trustedRootPath === undefined ? {} : { trustedRootPath }),
  });
  return { repository, channel: await repository.channel(channel) };
}

/** decideFor asks the pure decision with what this node is. */
export function decideFor(
  channel: Channel,
  source: UpdateSource,
  facts: NodeFacts,
  wanted?: string,
): UpdateDecision {
  const { booted, failed, kubernetesMinors } = facts;
  const node = { booted, failed, kubernetesMinors, channel: source.channel, architecture: ARCHITECTURE };
  return decideUpdate({ channel, node, ...(wanted === undefined ? {} : { wanted }) });
}

/** requireUpdate gives the version to take. @throws the code of the reason why there is none */
export function requireUpdate(decision: UpdateDecision): Update {
  if (decision.kind === 'update') return decision;
  throw new PlinthError(decision.code, decision.message, { hint: decision.hint });
}

/** readRelease gets what a version consists of. @throws update/target-missing, update/release-invalid, release/manifest-invalid */
export async function readRelease(repository: ReleaseRepository, update: Update): Promise<ReleaseFiles> {
  const manifest = await repository.manifest(update.release.manifest);
  if (manifest.version === update.version) return releaseFiles(manifest);
  const state = `its manifest is of ${manifest.version}`;
  throw new PlinthError(
    'update/release-invalid',
    `Cannot use release ${update.version}: ${state}, expected its own`,
  );
}

/** inFolder is a part of the state folder as a store. */
function inFolder(store: StateStore, folder: string): StateStore {
  const at = (name: string) => `${folder}/${name}`;
  return {
    volatileBecause: store.volatileBecause,
    read: (name) => store.read(at(name)),
    write: (name, data) => store.write(at(name), data),
    remove: (name) => store.remove(at(name)),
    setAside: (name) => store.setAside(at(name)),
  };
}
