import { at, listAt, mapAt, type Path, textAt } from '../model/json.ts';
import type { PodView } from '../model/pod-view.ts';
import { matches } from '../target/target.ts';
import { splitImage } from './agents.ts';
import type { Knowledge, RawFinding } from './rule.ts';

/** One demand on the labels of a node. */
interface Demand {
  readonly key: string;
  readonly values: readonly string[];
  readonly path: Path;
}

/** What a pod demands of its node: nodeSelector, and the required terms of its affinity. */
function demandsOf({ spec, specPath }: PodView): Demand[] {
  const chosen = Object.entries(mapAt(spec, 'nodeSelector')).map(([key, value]) => ({
    key,
    values: [String(value)],
    path: [...specPath, 'nodeSelector', key],
  }));
  const terms: Path = [
    'affinity',
    'nodeAffinity',
    'requiredDuringSchedulingIgnoredDuringExecution',
    'nodeSelectorTerms',
  ];
  const list = listAt(spec, ...terms);
  // Of several terms one is enough: no single one is a demand.
  if (list.length !== 1) return chosen;
  const wanted = listAt(list[0], 'matchExpressions').flatMap((each, index): Demand[] => {
    const key = textAt(each, 'key');
    if (key === undefined || !['In', 'Exists'].includes(textAt(each, 'operator') ?? '')) return [];
    return [
      {
        key,
        values: listAt(each, 'values').map(String),
        path: [...specPath, ...terms, 0, 'matchExpressions', index, 'key'],
      },
    ];
  });
  return [...chosen, ...wanted];
}

const ARCHITECTURE = /^(?:beta\.)?kubernetes\.io\/arch$/;
const SYSTEM = /^(?:beta\.)?kubernetes\.io\/os$/;

/** checkScheduling finds pods that no node of the target can take, and daemons that stay off tainted nodes. */
export function checkScheduling(pod: PodView, known: Knowledge): RawFinding[] {
  const { target } = known;
  const demands = demandsOf(pod);
  const architectures = target.architectures;
  const found = demands.flatMap(({ key, values, path }): RawFinding[] => {
    if (SYSTEM.test(key) && values.length > 0 && values.every((value) => value === 'windows'))
      return [
        {
          rule: 'PLM081',
          message: `runs on Windows only, and ${target.name} is Linux`,
          subject: 'windows',
          path,
        },
      ];
    if (ARCHITECTURE.test(key)) {
      const have = architectures?.value;
      if (have === undefined || values.length === 0 || values.some((value) => have.includes(value)))
        return [];
      return [
        {
          rule: 'PLM080',
          message: `runs on ${values.join(', ')} only; ${target.name} is made for ${have.join(', ')}`,
          subject: values.join(','),
          path,
          fact: architectures?.source ?? '',
        },
      ];
    }
    return labelFindings(key, path, known);
  });
  return [...found, ...imagesOf(pod, known), ...runtimeClass(pod, known), ...daemon(pod)];
}

/** Labels that the kubelet or the control plane gives to any node. */
const ANY_CLUSTER =
  /^(?:(?:beta\.)?kubernetes\.io\/(?:os|arch|hostname)|(?:node-role|topology|failure-domain\.beta)\.kubernetes\.io\/.*|(?:node|beta)\.kubernetes\.io\/instance-type|node\.kubernetes\.io\/windows-build)$/;

function labelFindings(key: string, path: Path, { target, labels }: Knowledge): RawFinding[] {
  const label = labels.find((each) => matches(each.key, key));
  if (label?.systems.includes(target.id) || ANY_CLUSTER.test(key)) return [];
  if (label === undefined)
    return [
      {
        rule: 'PLM075',
        severity: 'warn',
        message: `runs on nodes with the label ${key} only; the nodes that it is to move to must have it`,
        subject: key,
        path,
      },
    ];
  const isPool = label.systems.length === 0;
  return [
    {
      rule: 'PLM075',
      severity: isPool ? 'warn' : 'block',
      message: `runs on nodes with the label ${key} only: ${label.what}${isPool ? '; nodes that move may not have it' : `; nodes of ${target.name} do not have it`}`,
      subject: key,
      path,
    },
  ];
}

const OTHER_ARCHITECTURES =
  /(?:^|[-_/.])(arm64|aarch64|arm64v8|arm32v7|armv7|armhf|arm|ppc64le|s390x|riscv64|amd64|x86_64)(?:$|[-_/.])/;
const NAMES: Readonly<Record<string, string>> = {
  aarch64: 'arm64',
  arm64v8: 'arm64',
  arm32v7: 'arm',
  armv7: 'arm',
  armhf: 'arm',
  x86_64: 'amd64',
};

function imagesOf(pod: PodView, { target }: Knowledge): RawFinding[] {
  const have = target.architectures;
  if (have === undefined) return [];
  return pod.containers.flatMap(({ image, name, path }): RawFinding[] => {
    const { repository, tag } = splitImage(image);
    const last = repository.split('/').slice(-2).join('/');
    const word = (OTHER_ARCHITECTURES.exec(tag) ?? OTHER_ARCHITECTURES.exec(last))?.[1];
    const architecture = word === undefined ? undefined : (NAMES[word] ?? word);
    if (architecture === undefined || have.value.includes(architecture)) return [];
    return [
      {
        rule: 'PLM080',
        message: `its image is named for ${architecture}; ${target.name} is made for ${have.value.join(', ')}`,
        subject: image,
        path: [...path, 'image'],
        container: name,
        fact: have.source,
      },
    ];
  });
}

function runtimeClass({ spec, specPath }: PodView, { target }: Knowledge): RawFinding[] {
  const name = textAt(spec, 'runtimeClassName');
  const have = target.runtimeClasses;
  if (name === undefined || have?.value.includes(name)) return [];
  return [
    {
      rule: 'PLM082',
      severity: have === undefined ? 'unknown' : 'block',
      message: `asks for the runtime class ${name}; ${have === undefined ? `which runtimes ${target.name} has is unknown` : `${target.name} has ${have.value.length === 0 ? 'no runtime but its own' : have.value.join(', ')}`}`,
      subject: name,
      path: [...specPath, 'runtimeClassName'],
      ...(have && { fact: have.source }),
    },
  ];
}

function daemon({ isDaemon, spec, specPath }: PodView): RawFinding[] {
  if (!isDaemon || listAt(spec, 'tolerations').length > 0) return [];
  return [
    {
      rule: 'PLM070',
      message:
        'tolerates no taint, so it stays off control planes and off new nodes that are tainted while workloads move',
      subject: 'tolerations',
      path: at(spec, 'tolerations') === undefined ? specPath : [...specPath, 'tolerations'],
    },
  ];
}
