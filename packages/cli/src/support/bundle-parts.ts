import {
  GetAuditHeadResponseSchema,
  GetBootReportResponseSchema,
  GetConfigStatusResponseSchema,
  GetHealthResponseSchema,
  GetIdentityResponseSchema,
  GetIntegrityResponseSchema,
  GetKubernetesResponseSchema,
  GetMachineResponseSchema,
  GetNetworkResponseSchema,
  GetResourcesResponseSchema,
  GetSlotsResponseSchema,
  GetTimeResponseSchema,
  GetUpdateResponseSchema,
  GetVersionsResponseSchema,
  ListBootstrapContainersResponseSchema,
  ListCertificatesResponseSchema,
  ListConfigHistoryResponseSchema,
  ListContainersResponseSchema,
  ListDisksResponseSchema,
  ListEtcdMembersResponseSchema,
  ListImagesResponseSchema,
  ListMountsResponseSchema,
  ListPodsResponseSchema,
  ListProcessesResponseSchema,
  ListServicesResponseSchema,
  ListSessionsResponseSchema,
  ListSocketsResponseSchema,
  type LogEntry,
  messageData,
  type NodeClient,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { parseConfig, redactConfig } from '@plinth/config';
import { stringify } from 'yaml';
import { isoTime } from '../client/iso-time.ts';
import { redactData, redactText } from './redact.ts';

/** One file of a support bundle. */
export interface BundlePart {
  readonly path: string;
  /** What it holds, for people. */
  readonly what: string;
  readonly timeoutMs: number;
  /** Asks the node and gives the text without secrets. Throws what the call throws. */
  collect(node: NodeClient): Promise<string>;
}

export interface PartOptions {
  /** Lines of this boot's journal; of the kernel's log and of the last boot's journal a fifth each. */
  readonly journalLines: number;
}

const SHORT_MS = 30_000;
const LOG_MS = 120_000;
/** Bound on one log, whatever its lines hold. */
const LOG_LIMIT_BYTES = 16 * 1024 * 1024;

/** bundleParts is what a bundle holds, as data: it is told before anything is asked. */
export function bundleParts({ journalLines }: PartOptions): readonly BundlePart[] {
  const fewer = Math.ceil(journalLines / 5);
  return [
    json('identity.json', 'name, id and addresses', async (node) =>
      messageData(GetIdentityResponseSchema, await node.getIdentity()),
    ),
    json('versions.json', 'what runs', async (node) =>
      messageData(GetVersionsResponseSchema, await node.getVersions()),
    ),
    json('slots.json', 'slots and boot entries', async (node) =>
      messageData(GetSlotsResponseSchema, await node.getSlots()),
    ),
    json('update.json', 'updates: what is staged, proven, blocked, and why one fell back', async (node) =>
      messageData(GetUpdateResponseSchema, await node.update.get()),
    ),
    json('health.json', 'every health check', async (node) =>
      messageData(GetHealthResponseSchema, await node.getHealth()),
    ),
    json('integrity.json', 'integrity, mounts and PCRs', async (node) =>
      messageData(GetIntegrityResponseSchema, await node.getIntegrity()),
    ),
    json('boot.json', 'where the boot took its time, how the last one ended', async (node) =>
      messageData(GetBootReportResponseSchema, await node.getBootReport()),
    ),
    json('machine.json', 'the last reboot or reset', async (node) =>
      messageData(GetMachineResponseSchema, await node.machine.get()),
    ),
    json('kubernetes.json', 'membership, layers and the last act', async (node) =>
      messageData(GetKubernetesResponseSchema, await node.kubernetes.get()),
    ),
    json('etcd-members.json', 'members of the database; of control planes', async (node) =>
      messageData(ListEtcdMembersResponseSchema, await node.etcd.members()),
    ),
    json('services.json', 'units and their states', async (node) =>
      messageData(ListServicesResponseSchema, await node.system.services({ allKinds: true })),
    ),
    json('processes.json', 'processes, without their arguments', async (node) =>
      messageData(ListProcessesResponseSchema, await node.system.processes()),
    ),
    json('resources.json', 'memory, processors, load, pressure', async (node) =>
      messageData(GetResourcesResponseSchema, await node.system.resources()),
    ),
    json('disks.json', 'disks and volumes', async (node) =>
      messageData(ListDisksResponseSchema, await node.system.disks()),
    ),
    json('mounts.json', 'mounts and their space', async (node) =>
      messageData(ListMountsResponseSchema, await node.system.mounts()),
    ),
    json('network.json', 'links, addresses, routes, neighbours, DNS', async (node) =>
      messageData(GetNetworkResponseSchema, await node.system.network()),
    ),
    json('sockets.json', 'sockets of the host', async (node) =>
      messageData(ListSocketsResponseSchema, await node.system.sockets()),
    ),
    json('time.json', 'the clock', async (node) =>
      messageData(GetTimeResponseSchema, await node.system.time()),
    ),
    json('certificates.json', 'certificates and their last day', async (node) =>
      messageData(ListCertificatesResponseSchema, await node.system.certificates()),
    ),
    json('pods.json', 'pods in the container runtime', async (node) =>
      messageData(ListPodsResponseSchema, await node.containers.pods()),
    ),
    json('containers.json', 'containers', async (node) =>
      messageData(ListContainersResponseSchema, await node.containers.containers()),
    ),
    json('images.json', 'images in the container runtime', async (node) =>
      messageData(ListImagesResponseSchema, await node.containers.images()),
    ),
    json('bootstrap-containers.json', 'what ran before the workloads, and what it wrote', async (node) =>
      messageData(ListBootstrapContainersResponseSchema, await node.bootstrapContainers.list()),
    ),
    json('sessions.json', 'who worked on it by hand, without the recordings', async (node) =>
      messageData(ListSessionsResponseSchema, await node.session.list()),
    ),
    json('config-status.json', 'the config in effect, drift, trials', async (node) =>
      messageData(GetConfigStatusResponseSchema, await node.config.status()),
    ),
    json('config-history.json', 'who changed the config, and why', async (node) =>
      messageData(ListConfigHistoryResponseSchema, await node.config.history()),
    ),
    {
      ...{ path: 'config.yaml', what: 'the machine config without its secrets', timeoutMs: SHORT_MS },
      collect: async (node) => configText((await node.config.get()).config),
    },
    json('audit-head.json', 'number and hash of the last audit record', async (node) =>
      messageData(GetAuditHeadResponseSchema, await node.audit.head()),
    ),
    log('journal.txt', `last ${journalLines} lines of this boot's journal`, (node) =>
      node.logs.read({ boot: 0, lines: journalLines }),
    ),
    log('journal-before.txt', `last ${fewer} lines of the last boot's journal`, (node) =>
      node.logs.read({ boot: -1, lines: fewer }),
    ),
    log('kernel.txt', `last ${fewer} lines of the kernel's log`, (node) =>
      node.logs.read({ source: { case: 'kernel', value: true }, lines: fewer }),
    ),
  ];
}

function json(path: string, what: string, ask: (node: NodeClient) => Promise<unknown>): BundlePart {
  return {
    ...{ path, what, timeoutMs: SHORT_MS },
    collect: async (node) => `${JSON.stringify(redactData(await ask(node)), undefined, 2)}\n`,
  };
}

function log(
  path: string,
  what: string,
  read: (node: NodeClient) => AsyncIterable<readonly LogEntry[]>,
): BundlePart {
  return { path, what, timeoutMs: LOG_MS, collect: (node) => logText(read(node)) };
}

/**
 * logText joins entries to lines and takes out what is secret. A key that was written line by line is a key all the same:
 * the messages are looked at together.
 */
export async function logText(pieces: AsyncIterable<readonly LogEntry[]>): Promise<string> {
  const lines: string[] = [];
  let sizeBytes = 0;
  for await (const entries of pieces) {
    for (const { time, unit, identifier, pid, message } of entries) {
      const line = `${isoTime(time)} ${identifier || unit || 'kernel'}${pid === 0 ? '' : `[${pid}]`}: ${message}`;
      sizeBytes += Buffer.byteLength(line) + 1;
      if (sizeBytes > LOG_LIMIT_BYTES) {
        lines.push(`[cut: more than ${LOG_LIMIT_BYTES} bytes]`);
        return redactLines(lines);
      }
      lines.push(line);
    }
  }
  return redactLines(lines);
}

const BEGIN_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/;
const END_KEY = /-----END [A-Z0-9 ]*PRIVATE KEY/;
/** The longest private key in PEM, of RSA with 16384 bits, has some 200 lines. */
const KEY_LINES = 300;

function redactLines(lines: readonly string[]): string {
  let keyLines = 0;
  const kept = lines.map((line) => {
    if (BEGIN_KEY.test(line) && !END_KEY.test(line)) keyLines = KEY_LINES;
    if (keyLines === 0) return redactText(line);
    keyLines = END_KEY.test(line) ? 0 : keyLines - 1;
    // Within a block only what PEM can be is taken out, so that lines of others in between stay.
    return redactText(line).replace(/(?<=: |^)[\w+/=-]{16,}$/, '[redacted private key]');
  });
  return `${kept.join('\n')}\n`;
}

/** A config that cannot be understood is not shown: nobody knows which of its values are secret. */
function configText(bytes: Uint8Array): string {
  const parsed = parseConfig(bytes, 'config.yaml');
  if (parsed.ok) return redactText(stringify(redactConfig(parsed.value)), { keepDigests: true });
  throw new PlinthError(
    'config/invalid',
    'Cannot show the machine config: this client does not understand it, expected one of its version',
  );
}
