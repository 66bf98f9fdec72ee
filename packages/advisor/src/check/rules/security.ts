import { at, isMap, isTrue, type Json, listAt, mapAt, type Path, textAt } from '../model/json.ts';
import type { PodView } from '../model/pod-view.ts';
import { hostPathsOf } from './host-paths.ts';
import { hostPortsOf, isPrivileged } from './namespaces.ts';
import type { Knowledge, RawFinding, Severity } from './rule.ts';

/** A field of the security context of the pod or of one container. */
interface ContextField {
  readonly value: Json;
  readonly path: Path;
  readonly container?: string;
}

function contextFields(pod: PodView, field: string): ContextField[] {
  const own = at(pod.spec, 'securityContext', field);
  return [
    ...(own === undefined ? [] : [{ value: own, path: [...pod.specPath, 'securityContext', field] }]),
    ...pod.containers.flatMap(({ value, path, name }): ContextField[] => {
      const found = at(value, 'securityContext', field);
      return found === undefined
        ? []
        : [{ value: found, path: [...path, 'securityContext', field], container: name }];
    }),
  ];
}

/** checkConfinement finds SELinux options, AppArmor profiles and seccomp profiles that the target must know. */
export function checkConfinement(pod: PodView, known: Knowledge): RawFinding[] {
  return [...selinux(pod, known), ...appArmor(pod, known), ...seccomp(pod, known)];
}

function selinux(pod: PodView, { target }: Knowledge): RawFinding[] {
  const fact = target.security.selinux;
  return contextFields(pod, 'seLinuxOptions').flatMap(({ value, path, container }): RawFinding[] => {
    const label = ['user', 'role', 'type', 'level'].flatMap((part) => textAt(value, part) ?? []).join(':');
    const type = textAt(value, 'type');
    if (label === '') return [];
    const [severity, state]: readonly [Severity, string] =
      fact === undefined
        ? ['unknown', `what ${target.name} makes of it is unknown`]
        : fact.value === 'enforcing'
          ? type === undefined
            ? ['info', `SELinux enforces on ${target.name}`]
            : ['warn', `SELinux enforces on ${target.name}; its policy must have this type`]
          : ['info', `SELinux does not enforce on ${target.name}: the label keeps nothing apart`];
    return [
      {
        rule: 'PLM050',
        severity,
        message: `asks for the SELinux label ${label}; ${state}`,
        subject: label,
        path,
        ...(container !== undefined && { container }),
        ...(fact && { fact: fact.source }),
      },
    ];
  });
}

const ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';

function appArmor(pod: PodView, { target }: Knowledge): RawFinding[] {
  const fact = target.security.apparmor;
  if (fact?.value === true) return [];
  const annotations = Object.entries(mapAt(pod.metadata, 'annotations')).filter(
    ([key, value]) => key.startsWith(ANNOTATION) && value !== 'unconfined',
  );
  const profiles = [
    ...annotations.map(([key, value]) => ({
      profile: String(value),
      path: [...pod.metadataPath, 'annotations', key],
      container: key.slice(ANNOTATION.length),
    })),
    ...contextFields(pod, 'appArmorProfile').flatMap(({ value, path, container }) => {
      const type = textAt(value, 'type');
      return type === undefined || type === 'Unconfined'
        ? []
        : [{ profile: textAt(value, 'localhostProfile') ?? type, path, container }];
    }),
  ];
  return profiles.map(({ profile, path, container }) => ({
    rule: 'PLM051',
    severity: fact === undefined ? 'unknown' : 'block',
    message: `asks for the AppArmor profile ${profile}; ${fact === undefined ? `whether ${target.name} has AppArmor is unknown` : `${target.name} runs without AppArmor, and the kubelet refuses such pods`}`,
    subject: profile,
    path,
    ...(container !== undefined && { container }),
    ...(fact && { fact: fact.source }),
  }));
}

function seccomp(pod: PodView, { target }: Knowledge): RawFinding[] {
  return contextFields(pod, 'seccompProfile').flatMap(({ value, path, container }): RawFinding[] => {
    const file = textAt(value, 'localhostProfile');
    if (textAt(value, 'type') !== 'Localhost' || file === undefined) return [];
    return [
      {
        rule: 'PLM052',
        message: `asks for the seccomp profile ${file} of the node, which must lie in the kubelet's folder on each node of ${target.name}`,
        subject: file,
        path,
        ...(container !== undefined && { container }),
      },
    ];
  });
}

/** Capabilities that the level "baseline" lets a container add (Pod Security Standards). */
const BASELINE = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
);
const SELINUX_TYPES = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]);

/** baselineProblems names what keeps a pod from the level "baseline" of the Pod Security Standards. */
export function baselineProblems(pod: PodView): string[] {
  const problems = ['hostPID', 'hostIPC', 'hostNetwork'].filter((field) => isTrue(at(pod.spec, field)));
  if (hostPathsOf(pod).length > 0) problems.push('hostPath');
  for (const container of pod.containers) {
    if (isPrivileged(container)) problems.push('privileged');
    if (hostPortsOf(container).length > 0) problems.push('hostPort');
    const added = listAt(container.value, 'securityContext', 'capabilities', 'add').map(String);
    problems.push(...added.filter((each) => !BASELINE.has(each.replace(/^CAP_/, ''))));
    const mount = textAt(container.value, 'securityContext', 'procMount');
    if (mount !== undefined && mount !== 'Default') problems.push('procMount');
  }
  for (const { value } of contextFields(pod, 'seLinuxOptions'))
    if (isMap(value) && (!SELINUX_TYPES.has(textAt(value, 'type') ?? '') || value['user'] || value['role']))
      problems.push('seLinuxOptions');
  for (const field of ['seccompProfile', 'appArmorProfile'])
    if (contextFields(pod, field).some(({ value }) => textAt(value, 'type') === 'Unconfined'))
      problems.push(field);
  return [...new Set(problems)];
}
