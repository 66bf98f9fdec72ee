import { at, isTrue, listAt, textAt } from '../model/json.ts';
import type { Container, PodView } from '../model/pod-view.ts';
import { isWithin } from '../target/target.ts';
import { hostPathsOf } from './host-paths.ts';
import type { Knowledge, RawFinding } from './rule.ts';

/** checkNamespaces finds pods that share processes, memory or network with the host. */
export function checkNamespaces(pod: PodView, { target }: Knowledge): RawFinding[] {
  const found = [
    [
      'hostPID',
      'PLM010',
      `shares the processes of the host; what it looks for there differs on ${target.name}`,
    ],
    ['hostIPC', 'PLM011', 'shares the memory segments of the host'],
    ['hostNetwork', 'PLM012', 'uses the network of the host: its ports must be free there'],
  ] as const;
  return found.flatMap(([field, rule, message]) =>
    isTrue(at(pod.spec, field)) ? [{ rule, message, subject: field, path: [...pod.specPath, field] }] : [],
  );
}

/** Capabilities with which a container changes the node, not only itself. */
const OF_THE_NODE = new Set([
  'ALL',
  'SYS_ADMIN',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_BOOT',
  'SYS_TIME',
  'MAC_ADMIN',
  'MAC_OVERRIDE',
  'SYSLOG',
]);

/** checkPrivileges finds privileged containers, and capabilities that reach beyond the container. */
export function checkPrivileges(pod: PodView, { target }: Knowledge): RawFinding[] {
  return pod.containers.flatMap((container): RawFinding[] => {
    const { name, value, path } = container;
    if (isPrivileged(container))
      return [
        {
          rule: 'PLM013',
          message: `is privileged: it relies on the host as it is, and ${target.name} is another`,
          subject: 'privileged',
          path: [...path, 'securityContext', 'privileged'],
          container: name,
        },
      ];
    const added = listAt(value, 'securityContext', 'capabilities', 'add');
    return added.flatMap((capability, index): RawFinding[] => {
      const word = String(capability).replace(/^CAP_/, '').toUpperCase();
      if (!OF_THE_NODE.has(word)) return [];
      const refused = target.security.refusedCapabilities;
      const isRefused = refused?.value.includes(word) ?? false;
      return [
        {
          rule: 'PLM014',
          message: isRefused
            ? `asks for the capability ${word}, which no process of ${target.name} can have: the container does not start`
            : `has the capability ${word}, which reaches beyond the container`,
          subject: word,
          path: [...path, 'securityContext', 'capabilities', 'add', index],
          container: name,
          ...(isRefused && { severity: 'block' as const, fact: refused?.source ?? '' }),
        },
      ];
    });
  });
}

/** isPrivileged tells whether a container is privileged. */
export function isPrivileged({ value }: Container): boolean {
  return isTrue(at(value, 'securityContext', 'privileged'));
}

/** Devices that every Linux has. */
const ALWAYS =
  /^\/dev\/(?:null|zero|full|random|urandom|shm|mqueue|hugepages|pts|log|kmsg|termination-log)(?:\/|$)/;

/** checkDevices finds devices of the host that a pod mounts or is given as block devices. */
export function checkDevices(pod: PodView, { target }: Knowledge): RawFinding[] {
  return hostPathsOf(pod).flatMap(({ path, asWritten, volume, mounts, type }): RawFinding[] => {
    const isDevice = type === 'BlockDevice' || type === 'CharDevice' || isWithin(path, '/dev');
    if (!isDevice || ALWAYS.test(path)) return [];
    const [mount] = mounts;
    return [
      {
        rule: 'PLM015',
        message:
          path === '/dev'
            ? `mounts all devices of the host; which there are differs on ${target.name}`
            : `mounts the device ${asWritten}; whether ${target.name} has it depends on its machine and kernel`,
        subject: asWritten,
        path: [...volume.path, 'hostPath', 'path'],
        ...(mount && { container: mount.container.name }),
      },
    ];
  });
}

/** hostPortsOf lists the ports of the host that a container takes. */
export function hostPortsOf({ value, path }: Container): { port: string; path: (string | number)[] }[] {
  return listAt(value, 'ports').flatMap((port, index) => {
    const number = textAt(port, 'hostPort');
    return number === undefined || number === '0'
      ? []
      : [{ port: number, path: [...path, 'ports', index, 'hostPort'] }];
  });
}
