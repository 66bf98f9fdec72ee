import type { KubeObject } from '../model/kube-object.ts';
import type { PodView } from '../model/pod-view.ts';
import { hostPathsOf } from './host-paths.ts';
import type { Knowledge, RawFinding } from './rule.ts';
import { type Script, scriptsIn, scriptsOf } from './scripts.ts';

/** Places where other systems keep flags and settings of the kubelet. */
const FILES =
  /(\/etc\/default\/kubelet|\/etc\/sysconfig\/kubelet|kubelet\.service\.d|\/var\/lib\/kubelet\/(?:config\.yaml|kubeadm-flags\.env)|\/etc\/kubernetes\/kubelet[\w./-]*|systemctl\s+(?:\S+\s+)*restart\s+kubelet)/;
const KINDS = new Set(['KubeletConfiguration', 'KubeletConfig', 'CustomKubeletConfig']);

/** checkKubelet finds pods that change flags or settings of the kubelet on the node. */
export function checkKubelet(pod: PodView, known: Knowledge): RawFinding[] {
  const mounted = hostPathsOf(pod).flatMap(({ asWritten, writable, volume, mounts }): RawFinding[] => {
    if (!writable || !FILES.test(asWritten)) return [];
    const container = mounts[0]?.container.name;
    return [finding(asWritten, [...volume.path, 'hostPath', 'path'], known, container)];
  });
  return [...mounted, ...scriptsOf(pod).flatMap((script) => inScript(script, known))];
}

/** checkKubeletObjects finds settings of kubelets, and scripts that change them. */
export function checkKubeletObjects(object: KubeObject, known: Knowledge): RawFinding[] {
  if (KINDS.has(object.kind)) return [finding(object.kind, ['kind'], known, undefined)];
  return scriptsIn(object).flatMap((script) => inScript(script, known));
}

function inScript(script: Script, known: Knowledge): RawFinding[] {
  const match = FILES.exec(script.text);
  if (match === null || !/(?:>|\b(?:sed|tee|cp|mv|restart|kubelet\.service\.d)\b)/.test(script.text))
    return [];
  const { path, linesBelow } = script.placeOf(match.index);
  return [
    {
      ...finding(match[0], path, known, script.container),
      ...(linesBelow !== undefined && { linesBelow }),
    },
  ];
}

function finding(
  subject: string,
  path: RawFinding['path'],
  { target }: Knowledge,
  container: string | undefined,
): RawFinding {
  const fact = target.kubelet.flagsChangeable;
  return {
    rule: 'PLM060',
    severity: fact === undefined ? 'unknown' : fact.value ? 'warn' : 'block',
    message: `sets up the kubelet of the node (${subject}); ${fact === undefined ? `how ${target.name} takes settings of the kubelet is unknown` : `${target.name} takes them from its own config only`}`,
    subject,
    path,
    ...(container !== undefined && { container }),
    ...(fact && { fact: fact.source }),
  };
}
