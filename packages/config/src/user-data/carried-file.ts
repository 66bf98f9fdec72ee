import type { TextSource } from '@plinth/base';
import { hostName } from '../kinds/machine/kind.ts';
import { readStream } from '../parse/parse-config.ts';
import type { ReadSections } from '../parse/read-sections.ts';
import { problemAt, type Range, sectionOf } from './foreign-text.ts';

/** The file by which user data of another system carries documents of ours. It is read, never written. */
export const CARRIED_CONFIG = '/etc/plinth/machine-config.yaml';
const HOST_NAME_FILE = '/etc/hostname';

/** What people put into files elsewhere, and the kind of document that says it here. */
const instead: readonly (readonly [start: string, kind: string])[] = [
  ['/etc/containerd/', 'Registries'],
  ['/etc/hosts', 'Network (field "hosts")'],
  ['/etc/kubernetes/', 'Kubelet'],
  ['/etc/modules-load.d/', 'KernelModules'],
  ['/etc/modprobe.d/', 'KernelModules'],
  ['/etc/NetworkManager/', 'Network'],
  ['/etc/netplan/', 'Network'],
  ['/etc/pki/', 'TrustedCAs'],
  ['/etc/resolv.conf', 'Network (field "dns")'],
  ['/etc/ssl/', 'TrustedCAs'],
  ['/etc/sysctl', 'Sysctls'],
  ['/etc/systemd/network/', 'Network'],
  ['/etc/systemd/resolved.conf', 'Network (field "dns")'],
  ['/etc/systemd/timesyncd.conf', 'Network (field "ntp")'],
  ['/usr/local/share/ca-certificates/', 'TrustedCAs'],
  ['/var/lib/kubelet/', 'Kubelet'],
];

/** hasPlace tells whether a file of user data stands for something in a config. */
export function hasPlace(path: string): boolean {
  return path === CARRIED_CONFIG || path === HOST_NAME_FILE;
}

/** refusedFile says why a file has no place, and what to do instead. */
export function refusedFile(source: TextSource, at: Range, where: string, path: string): ReadSections {
  const shown = path.slice(0, 200);
  const [, kind] = instead.find(([start]) => path.startsWith(start)) ?? [];
  const state = `the file ${shown} has no place, expected ${CARRIED_CONFIG} or ${HOST_NAME_FILE}: a node has no files but those of its image and its machine config`;
  const hint =
    kind === undefined
      ? 'leave the file out; what a node can be told is in "plinth config explain"'
      : `say it in a document of kind ${kind}`;
  return { sections: [], diagnostics: [problemAt(source, at, where, state, hint)] };
}

/**
 * readCarried reads a file that has a place.
 * @param at where the file stands in the text that carries it
 */
export function readCarried(
  path: string,
  content: Uint8Array,
  source: TextSource,
  at: Range,
  where: string,
): ReadSections {
  if (path === CARRIED_CONFIG) return readStream(content, `${source.file}, in it ${path}`);
  const name = content.length > 256 ? '' : Buffer.from(content).toString('utf8').trim();
  if (hostName.safeParse(name).success) return sectionOf('machine', { name }, source, at);
  const state = `${path} does not hold a host name, expected lower-case letters, digits and hyphens, at most 63`;
  return { sections: [], diagnostics: [problemAt(source, at, where, state)] };
}
