import { at, textAt } from '../model/json.ts';
import type { Container, PodView } from '../model/pod-view.ts';
import { pathFactOf, podAccessOf, type Target } from '../target/target.ts';
import { type HostPath, hostPathsOf, isOnlyRead, isOtherRuntime, placeOfPath } from './host-paths.ts';
import { isPrivileged } from './namespaces.ts';
import type { Knowledge, RawFinding, Severity } from './rule.ts';

/** The domain of a container that names no other. */
const DOMAIN = 'container_t';
const RULE = 'PLM009';
/** The container counts on something being made there. */
const MAKES = new Set(['DirectoryOrCreate', 'FileOrCreate']);

/** checkHostLabels finds host paths that a pod mounts and that SELinux on the target keeps from it. */
export function checkHostLabels(pod: PodView, { target }: Knowledge): RawFinding[] {
  const { selinux, podAccess } = target.security;
  if (selinux === undefined || selinux.value === 'off') return [];
  const confined = hostPathsOf(pod).flatMap((host) => {
    const mounts = host.mounts.filter(({ container }) => isConfined(container, pod));
    return mounts.length === 0 ? [] : [{ ...host, mounts }];
  });
  if (podAccess === undefined) return selinux.value === 'enforcing' ? unread(confined, target) : [];
  return confined.flatMap((host) => {
    const found = judge(host, target);
    if (found === undefined) return [];
    const said = `${found.message}${selinux.value === 'enforcing' ? '' : `; it only reports that on ${target.name} yet`}`;
    return [
      {
        ...{ ...placeOfPath(host), rule: RULE, message: said, fact: podAccess.source },
        severity: selinux.value === 'enforcing' ? found.severity : ('info' as const),
      },
    ];
  });
}

/** A privileged container runs in a domain of its own, and one that names its domain is told of by PLM050. */
function isConfined(container: Container, pod: PodView): boolean {
  const type =
    textAt(container.value, 'securityContext', 'seLinuxOptions', 'type') ??
    textAt(at(pod.spec, 'securityContext'), 'seLinuxOptions', 'type') ??
    DOMAIN;
  return !isPrivileged(container) && type === DOMAIN;
}

type Judgement = Pick<RawFinding, 'message'> & { readonly severity: Severity };

function judge(host: HostPath, target: Target): Judgement | undefined {
  const { path, asWritten, type } = host;
  const access = podAccessOf(target, path);
  if (access === undefined || isOtherRuntime(path, target)) return undefined;
  const isWriter = host.mounts.some(({ readOnly }) => !readOnly) && !isOnlyRead(path);
  const state = pathFactOf(target, path)?.state;
  // Nobody writes there, whatever SELinux says: other rules tell.
  if (isWriter && (state === 'read-only' || state === 'absent')) return undefined;
  const use = `mounts ${asWritten}${isWriter ? ' for writing' : ''}`;
  if (access.sockets !== undefined)
    return {
      severity: 'block',
      message: `${use}; SELinux lets no container that is not privileged call what listens there (${access.sockets.join(', ')})`,
    };
  if (access.pods === 'unknown')
    return {
      severity: 'unknown',
      message: `${use}; what SELinux lets a container that is not privileged do there is unknown`,
    };
  if (access.pods === 'write' || (access.pods === 'read' && !isWriter)) return undefined;
  return {
    severity: access.pods === 'none' || MAKES.has(type) ? 'block' : 'warn',
    message: `${use}; SELinux lets a container that is not privileged ${access.pods === 'none' ? 'neither read nor change' : 'read but not change'} files there (${access.labels.join(', ')}: ${access.why})`,
  };
}

/** One finding for a pod: which of its paths are kept from it, nobody has read. */
function unread(hosts: readonly HostPath[], target: Target): RawFinding[] {
  const [host] = hosts;
  if (host === undefined) return [];
  const paths = [...new Set(hosts.map(({ asWritten }) => asWritten))];
  return [
    {
      ...placeOfPath(host),
      rule: RULE,
      severity: 'unknown',
      message: `mounts ${paths.join(', ')}; SELinux enforces on ${target.name}, and nobody has read which host paths it keeps from containers`,
      subject: 'host paths',
      fact: target.security.selinux?.source ?? '',
    },
  ];
}

/**
 * whyLabelRefuses tells why pods cannot keep data in a folder of the host, in words that follow "which"; undefined: they
 * can, nobody knows, or SELinux only reports.
 * @param path without its usual links
 */
export function whyLabelRefuses(
  path: string,
  target: Target,
): { readonly rule: typeof RULE; readonly why: string; readonly fact: string } | undefined {
  const { selinux, podAccess } = target.security;
  const pods = podAccessOf(target, path)?.pods;
  if (selinux?.value !== 'enforcing' || podAccess === undefined || (pods !== 'read' && pods !== 'none'))
    return undefined;
  return {
    rule: RULE,
    why: `takes no write of a pod that is not privileged: SELinux enforces on ${target.name}`,
    fact: podAccess.source,
  };
}
