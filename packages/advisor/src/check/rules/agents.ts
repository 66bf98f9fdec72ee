import { at, mapAt, textAt } from '../model/json.ts';
import type { KubeObject } from '../model/kube-object.ts';
import type { PodView } from '../model/pod-view.ts';
import { pathFactOf, programOn, type Target } from '../target/target.ts';
import { hostPathsOf, realPath } from './host-paths.ts';
import { judgeModule } from './kernel.ts';
import { type Agent, agentKinds } from './knowledge.ts';
import { isPrivileged } from './namespaces.ts';
import type { Knowledge, RawFinding, Severity } from './rule.ts';

/** checkAgents tells the state on the target of drivers and agents that are known by their images. */
export function checkAgents(pod: PodView, { target, agents }: Knowledge): RawFinding[] {
  const seen = new Set<string>();
  const mounted = hostPathsOf(pod).map(({ path }) => path);
  return pod.containers.flatMap((container): RawFinding[] => {
    const image = splitImage(container.image);
    const agent = agentOf(container.image, agents);
    if (agent === undefined || seen.has(agent.id)) return [];
    // The part of a storage driver that only speaks to the API needs nothing of the host.
    if (agent.kind === 'csi' && !touchesHost(pod)) return [];
    seen.add(agent.id);
    const state = stateOf(agent, image.tag, target, mounted);
    if (state === undefined) return [];
    return [
      {
        rule: agentKinds[agent.kind],
        severity: state.severity,
        message: `is ${agent.name}${image.tag === '' ? '' : ` ${image.tag}`}: ${state.note}`,
        subject: agent.id,
        fix: agent.advice,
        path: [...container.path, 'image'],
        container: container.name,
      },
    ];
  });
}

/** agentOf is the agent that an image is known to be. */
export function agentOf(image: string, agents: readonly Agent[]): Agent | undefined {
  const { repository } = splitImage(image);
  return agents.find(({ images }) => images.some((each) => isImage(repository, each)));
}

function touchesHost(pod: PodView): boolean {
  return pod.isDaemon || hostPathsOf(pod).length > 0 || pod.containers.some(isPrivileged);
}

/** checkDrivers tells the same of CSI drivers and provisioners that objects name. */
export function checkDrivers(object: KubeObject, { target, agents }: Knowledge): RawFinding[] {
  const named: readonly (readonly [string, readonly string[]])[] = [
    ['StorageClass', ['provisioner']],
    ['CSIDriver', ['metadata', 'name']],
    ['PersistentVolume', ['spec', 'csi', 'driver']],
  ];
  return named.flatMap(([kind, path]): RawFinding[] => {
    const driver = object.kind === kind ? textAt(object.value, ...path) : undefined;
    const agent =
      driver === undefined ? undefined : agents.find(({ provisioners }) => provisioners.includes(driver));
    const state = agent && stateOf(agent, '', target, []);
    if (agent === undefined || state === undefined) return [];
    return [
      {
        rule: agentKinds[agent.kind],
        severity: state.severity,
        message: `uses ${agent.name} (${driver}): ${state.note}`,
        subject: agent.id,
        fix: agent.advice,
        path: [...path],
      },
    ];
  });
}

/** An image without its registry, split at its tag. */
export function splitImage(image: string): { readonly repository: string; readonly tag: string } {
  const [named = ''] = image.split('@');
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  return colon < 0
    ? { repository: named, tag: '' }
    : { repository: named.slice(0, colon), tag: named.slice(colon + 1) };
}

function isImage(repository: string, known: string): boolean {
  return repository === known || repository.endsWith(`/${known}`);
}

/** What is said of an agent on a target, or what its needs tell; undefined: it works, as far as is known. */
function stateOf(
  agent: Agent,
  tag: string,
  target: Target,
  mounted: readonly string[],
): { severity: Severity; note: string } | undefined {
  const said = agent.states.find((state) => state.target === target.id && isInRange(tag, state.versions));
  if (said) {
    if (said.state === 'works') return undefined;
    const severities = { 'needs-settings': 'warn', breaks: 'block', unknown: 'unknown' } as const;
    return {
      severity: severities[said.state],
      note: `${said.note} (${said.source.title}, ${said.source.read})`,
    };
  }
  return needsOf(agent, target, mounted);
}

/** @param mounted host paths of the pod: to which folder an agent writes, its manifest says better than its name */
function needsOf(
  { needs }: Agent,
  target: Target,
  mounted: readonly string[],
): { severity: Severity; note: string } | undefined {
  const missing: string[] = [];
  const settings: string[] = [];
  const unknown: string[] = [];
  for (const program of needs.programs) {
    const fact = programOn(target, program);
    if (fact === undefined) unknown.push(`the program ${program}`);
    else if (!fact.has) missing.push(`the program ${program}`);
  }
  for (const module of needs.modules) {
    const judged = judgeModule('modprobe', module, target);
    if (judged?.severity === 'unknown') unknown.push(`the module ${module}`);
    else if (judged !== undefined) settings.push(`the module ${module}`);
  }
  for (const folder of needs.writes) {
    if (!mounted.includes(realPath(folder))) continue;
    const fact = pathFactOf(target, realPath(folder));
    if (fact === undefined) unknown.push(`writing to ${folder}`);
    else if (fact.state === 'read-only' || fact.state === 'absent') missing.push(`writing to ${folder}`);
  }
  if (needs.apparmor && target.security.apparmor?.value !== true)
    (target.security.apparmor ? missing : unknown).push('AppArmor');
  if (needs.kernelHeaders && target.kernel.headers?.value !== true)
    (target.kernel.headers ? missing : unknown).push('headers of the kernel');
  if (needs.ownModules && target.kernel.signedOnly?.value !== false)
    (target.kernel.signedOnly ? missing : unknown).push('a kernel that takes foreign modules');
  if (missing.length > 0)
    return { severity: 'block', note: `it needs ${missing.join(', ')}, which ${target.name} does not have` };
  if (unknown.length > 0)
    return {
      severity: 'unknown',
      note: `it needs ${unknown.join(', ')}; nobody has read whether ${target.name} has that`,
    };
  if (settings.length > 0)
    return {
      severity: 'warn',
      note: `it needs ${settings.join(', ')}, which the settings of the node must ask for`,
    };
  return undefined;
}

/** isInRange holds a version against ">=1.2.0" or "<0.35"; a tag that is no version is in no range. */
export function isInRange(tag: string, range: string | undefined): boolean {
  if (range === undefined) return true;
  const match = /^(>=|<)(\d[\d.]*)$/.exec(range);
  const numbers = (text: string) => text.split('.').map(Number);
  const version = /^v?(\d+(?:\.\d+)*)/.exec(tag)?.[1];
  if (match === null || version === undefined) return false;
  const [, sign, bound = ''] = match;
  const [a, b] = [numbers(version), numbers(bound)];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return sign === '<' ? difference < 0 : difference > 0;
  }
  return sign === '>=';
}

/** checkGpu finds containers that ask for a GPU which the target cannot give. */
export function checkGpu(pod: PodView, { target }: Knowledge): RawFinding[] {
  return pod.containers.flatMap((container) =>
    ['limits', 'requests'].flatMap((kind): RawFinding[] => {
      const resource = Object.keys(mapAt(container.value, 'resources', kind)).find((key) =>
        /^(?:nvidia\.com\/(?:gpu|mig-)|amd\.com\/gpu|gpu\.intel\.com\/)/.test(key),
      );
      if (
        resource === undefined ||
        (kind === 'requests' && at(container.value, 'resources', 'limits', resource) !== undefined)
      )
        return [];
      // What is known of a system with drivers is known of those of NVIDIA.
      const gpu = target.gpu?.value === 'none' || resource.startsWith('nvidia.com/') ? target.gpu : undefined;
      if (gpu !== undefined && gpu.value !== 'none') return [];
      return [
        {
          rule: 'PLM083',
          severity: gpu === undefined ? 'unknown' : 'block',
          message: `asks for ${resource}; ${gpu === undefined ? `whether ${target.name} drives it is unknown` : `${target.name} has no driver for it, so no node offers it`}`,
          subject: resource,
          path: [...container.path, 'resources', kind, resource],
          container: container.name,
          ...(gpu && { fact: gpu.source }),
        },
      ];
    }),
  );
}
