import { parse } from 'yaml';
import { parseKeyValues } from '../../kernel/key-values.ts';
import { API_SERVER_FILES } from '../../kubernetes/paths.ts';
import { SYSTEMCTL } from '../../reports/versions.ts';
import { isMissing, listDir, type Sys } from '../../sys/sys.ts';
import type { CisBenchmark } from './benchmark.ts';
import { type CisFacts, type CisFile, type Flags, readFlags, readStaticPod } from './facts.ts';

const MANIFESTS = '/etc/kubernetes/manifests';
const KUBELET_CONFIG = '/var/lib/kubelet/config.yaml';
/** More files than kubeadm makes by far. */
const FILES_LIMIT = 500;
const DEPTH_LIMIT = 4;

/**
 * gatherCisFacts reads from a member what the benchmark looks at. Never throws: what cannot be read is not in the facts,
 * and what is judged by it becomes `unknown`.
 */
export async function gatherCisFacts(
  sys: Sys,
  role: CisFacts['role'],
  benchmark: CisBenchmark,
): Promise<CisFacts> {
  const controlPlane = role === 'control-plane';
  const checks = benchmark.checks.filter(({ scope }) => scope === 'node' || controlPlane);
  const patterns = new Set(checks.flatMap(({ files }) => files?.paths ?? []));
  return {
    role,
    parts: controlPlane ? await readParts(sys) : new Map(),
    kubelet: await readYaml(sys, KUBELET_CONFIG),
    kubeletFlags: await readKubeletFlags(sys).catch(() => undefined),
    configs: controlPlane ? await readConfigs(sys) : new Map(),
    ...(await lookAtFiles(sys, [...patterns])),
  };
}

async function readParts(sys: Sys): Promise<Map<string, Flags>> {
  const parts = new Map<string, Flags>();
  for (const name of await namesIn(sys, MANIFESTS)) {
    try {
      parts.set(...readStaticPod((await sys.readFile(`${MANIFESTS}/${name}`)).toString('utf8')));
    } catch {
      // No manifest of kubeadm, or not to be read: the checks of that part say that it was not seen.
    }
  }
  return parts;
}

async function readConfigs(sys: Sys): Promise<Map<string, unknown>> {
  const configs = new Map<string, unknown>();
  for (const name of await namesIn(sys, API_SERVER_FILES)) {
    const content = await readYaml(sys, `${API_SERVER_FILES}/${name}`);
    if (content !== undefined) configs.set(name, withoutSecrets(content));
  }
  return configs;
}

/** The keys of EncryptionConfiguration are not needed by any check, so they do not get further than this. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([name]) => name !== 'secret');
  return Object.fromEntries(fields.map(([name, inner]) => [name, withoutSecrets(inner)]));
}

async function readYaml(sys: Sys, path: string): Promise<unknown> {
  try {
    return parse((await sys.readFile(path)).toString('utf8'), { maxAliasCount: 0 }) as unknown;
  } catch {
    return undefined;
  }
}

/** The flags of the process that runs, which no file can differ from. */
async function readKubeletFlags(sys: Sys): Promise<Flags | undefined> {
  const args = ['show', '--no-pager', '--property=MainPID', 'kubelet.service'];
  const { exitCode, stdout } = await sys.run(SYSTEMCTL, args);
  const pid = parseKeyValues(stdout).get('MainPID') ?? '';
  if (exitCode !== 0 || !/^[1-9]\d*$/.test(pid)) return undefined;
  const line = (await sys.readFile(`/proc/${pid}/cmdline`)).toString('utf8');
  return line === '' ? undefined : readFlags(line.split('\0'));
}

/** What was seen so far. */
interface Seen {
  readonly files: Map<string, CisFile>;
  readonly unseen: Set<string>;
}

async function lookAtFiles(sys: Sys, patterns: readonly string[]): Promise<Seen> {
  const seen: Seen = { files: new Map(), unseen: new Set() };
  for (const pattern of patterns) {
    const star = pattern.indexOf('*');
    if (star < 0) await lookAt(sys, pattern, seen, 0);
    else
      await walk(
        sys,
        pattern.slice(0, pattern.lastIndexOf('/', star)),
        seen,
        pattern.includes('**') ? DEPTH_LIMIT : 0,
      );
  }
  return seen;
}

async function walk(sys: Sys, folder: string, seen: Seen, depth: number): Promise<void> {
  try {
    for (const name of await listDir(sys, folder)) await lookAt(sys, `${folder}/${name}`, seen, depth);
  } catch {
    seen.unseen.add(folder);
  }
}

async function lookAt(sys: Sys, path: string, seen: Seen, depth: number): Promise<void> {
  if (seen.files.size >= FILES_LIMIT) {
    seen.unseen.add(path);
    return;
  }
  try {
    const { kind, mode, uid, gid } = await sys.status(path);
    if (kind === 'folder' && depth > 0) await walk(sys, path, seen, depth - 1);
    else seen.files.set(path, { mode, owner: `${nameOf(uid)}:${nameOf(gid)}` });
  } catch (reason) {
    if (!isMissing(reason)) seen.unseen.add(path); // one that vanished is none
  }
}

function nameOf(id: number): string {
  return id === 0 ? 'root' : String(id);
}

async function namesIn(sys: Sys, folder: string): Promise<readonly string[]> {
  return listDir(sys, folder).catch(() => []);
}
