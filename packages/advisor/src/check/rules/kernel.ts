import { at, listAt, textAt } from '../model/json.ts';
import type { KubeObject } from '../model/kube-object.ts';
import type { PodView } from '../model/pod-view.ts';
import { isWithin, type Target } from '../target/target.ts';
import { hostPathsOf } from './host-paths.ts';
import type { Knowledge, RawFinding, Severity } from './rule.ts';
import { lineBefore, type Script, scriptsIn, scriptsOf } from './scripts.ts';

/** checkKernel finds kernel modules and kernel settings that pods bring about, and modules that they build. */
export function checkKernel(pod: PodView, known: Knowledge): RawFinding[] {
  return [
    ...scriptsOf(pod).flatMap((script) => [...modulesOf(script, known), ...settingsOf(script, known)]),
    ...headersOf(pod, known),
    ...podSysctls(pod, known),
  ];
}

/** checkKernelScripts finds the same in scripts that lie in ConfigMaps. */
export function checkKernelScripts(object: KubeObject, known: Knowledge): RawFinding[] {
  return scriptsIn(object).flatMap((script) => [...modulesOf(script, known), ...settingsOf(script, known)]);
}

const LOAD = /(?<![\w.-])(?:\/\S*\/)?(modprobe|insmod)\s+((?:-\S+\s+)*)([\w./${}-]+)/g;

function modulesOf(script: Script, { target }: Knowledge): RawFinding[] {
  return [...script.text.matchAll(LOAD)].flatMap((match): RawFinding[] => {
    const [, program = '', flags = '', name = ''] = match;
    const before = lineBefore(script.text, match.index);
    // Taking a module out, comments, and words about it.
    if (/-\w*[rn]/.test(flags) || /(?:^|\s)(?:#|\/\/)/.test(before) || /\b(?:echo|printf|msg)\b/.test(before))
      return [];
    const judged = judgeModule(program, name, target);
    if (judged === undefined) return [];
    return [
      {
        rule: 'PLM030',
        subject: name,
        ...judged,
        ...(script.container !== undefined && { container: script.container }),
        ...script.placeOf(match.index),
      },
    ];
  });
}

/** judgeModule tells how a module gets into the kernel of a target; undefined when it is there already. */
export function judgeModule(
  program: string,
  name: string,
  target: Target,
): Pick<RawFinding, 'severity' | 'message' | 'fact'> | undefined {
  const { loaded, declared, signedOnly } = target.kernel;
  const plain = name.replaceAll('-', '_').replace(/\.ko(?:\.\w+)?$/, '');
  const has = (list: typeof loaded) =>
    list?.value.some((each) => each.replaceAll('-', '_') === plain) ?? false;
  if (program === 'insmod' && signedOnly?.value)
    return {
      severity: 'block',
      message: `loads a module of its own (${name}); the kernel of ${target.name} takes only modules signed for it`,
      fact: signedOnly.source,
    };
  if (has(loaded)) return undefined;
  if (has(declared))
    return {
      severity: 'warn',
      message: `loads the module ${name}; on ${target.name} the settings of the node ask for it`,
      fact: declared?.source ?? '',
    };
  if (loaded === undefined && declared === undefined)
    return {
      severity: 'unknown',
      message: `loads the module ${name}; whether ${target.name} has it is unknown`,
    };
  return {
    severity: 'warn',
    message: `loads the module ${name}, which is neither loaded nor can be asked for on ${target.name}`,
    fact: (declared ?? loaded)?.source ?? '',
  };
}

const SETTING =
  /(?<![\w.-])sysctl\s+(?:-\S+\s+)*-\w*w\w*\s+["']?([\w./-]+)\s*=|>\s*\/(?:host\/)?proc\/sys\/([\w./-]+)/g;

function settingsOf(script: Script, { target }: Knowledge): RawFinding[] {
  return [...script.text.matchAll(SETTING)].flatMap((match): RawFinding[] => {
    const key = (match[1] ?? match[2] ?? '').replaceAll('/', '.');
    const fixed = target.fixedSysctls.find((each) => each.key === key);
    if (fixed === undefined) return [];
    return [
      {
        rule: 'PLM032',
        message: `changes ${key} of the kernel, which is fixed on ${target.name}: ${fixed.why}`,
        subject: key,
        ...(script.container !== undefined && { container: script.container }),
        ...script.placeOf(match.index),
        fact: fixed.source,
      },
    ];
  });
}

const HEADERS = ['/usr/src', '/lib/modules/build', '/usr/lib/modules/build'];

function headersOf(pod: PodView, { target }: Knowledge): RawFinding[] {
  const { headers } = target.kernel;
  if (headers?.value === true) return [];
  const severity: Severity = headers === undefined ? 'unknown' : 'block';
  const reason =
    headers === undefined
      ? `whether ${target.name} has them is unknown`
      : `${target.name} has none, and takes no module built on a node`;
  return hostPathsOf(pod).flatMap(({ path, asWritten, volume, mounts }): RawFinding[] => {
    if (!HEADERS.some((each) => isWithin(path, each))) return [];
    return [
      {
        rule: 'PLM031',
        severity,
        message: `mounts ${asWritten} for headers of the kernel; ${reason}`,
        subject: asWritten,
        path: [...volume.path, 'hostPath', 'path'],
        ...(mounts[0] && { container: mounts[0].container.name }),
        ...(headers && { fact: headers.source }),
      },
    ];
  });
}

/** What the kubelet lets any pod set (Kubernetes: safe sysctls). */
const SAFE = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

function podSysctls({ spec, specPath }: PodView, { target }: Knowledge): RawFinding[] {
  const field = ['securityContext', 'sysctls'];
  return listAt(spec, ...field).flatMap((entry, index): RawFinding[] => {
    const key = (textAt(entry, 'name') ?? '').replaceAll('/', '.');
    if (key === '' || SAFE.has(key)) return [];
    const allows = target.kubelet.unsafeSysctls;
    const how =
      allows === undefined
        ? ''
        : allows.value
          ? `; the settings of ${target.name} can allow it`
          : `; ${target.name} has no setting for that`;
    return [
      {
        rule: 'PLM053',
        severity: allows?.value === false ? 'block' : 'warn',
        message: `sets ${key}, which a kubelet refuses unless it is told to allow it${how}`,
        subject: key,
        path: [...specPath, ...field, index, ...(at(entry, 'name') === undefined ? [] : ['name'])],
        ...(allows && { fact: allows.source }),
      },
    ];
  });
}
