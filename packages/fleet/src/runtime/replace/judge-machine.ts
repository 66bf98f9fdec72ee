import { MACHINE_ANNOTATIONS } from '../../view/project/project-core.ts';
import { listOf, rawAt, textOf } from '../../view/project/raw.ts';
import type { NodeView } from '../../view/view.ts';

/** The label that every Machine of a MachineDeployment has. */
const DEPLOYMENT_LABEL = 'cluster.x-k8s.io/deployment-name';

/** Where the Machine of a node is. */
export interface MachinePlace {
  readonly namespace: string;
  readonly name: string;
}

/** machineOf reads which Machine a node is; undefined: Cluster API did not make it. */
export function machineOf({ annotations }: NodeView): MachinePlace | undefined {
  const name = annotations[MACHINE_ANNOTATIONS.name];
  const namespace = annotations[MACHINE_ANNOTATIONS.namespace];
  // They go into a path: a name that is none of Kubernetes is nobody's.
  if (!isName(name) || !isName(namespace)) return undefined;
  return { namespace, name };
}

function isName(text: string | undefined): text is string {
  return text !== undefined && text.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text);
}

/** deploymentOf is the MachineDeployment that makes another Machine when this one is deleted; undefined: none does. */
export function deploymentOf(machine: unknown): string | undefined {
  const metadata = rawAt(machine, 'metadata');
  const owner = listOf(metadata['ownerReferences']).find((each) => rawAt(each)['controller'] === true);
  const name = textOf(rawAt(metadata, 'labels')[DEPLOYMENT_LABEL]);
  return rawAt(owner)['kind'] === 'MachineSet' && isName(name) ? name : undefined;
}

/** What may be done with the Machine of a node. */
export type MachineVerdict =
  | { readonly is: 'deleting' }
  | { readonly is: 'may-go'; readonly uid: string; readonly resourceVersion: string }
  | { readonly is: 'refused'; readonly text: string };

/**
 * judgeMachine says whether a Machine may be deleted so that its node is replaced: it is this node's, and its pool makes new ones only by the
 * newest template and takes none away by itself; pure. Versions v1beta1 and v1beta2 of Cluster API are read.
 * @param kubernetesVersion what the template has to give to new nodes; "" for any
 */
export function judgeMachine(
  node: NodeView,
  machine: unknown,
  deployment: unknown,
  kubernetesVersion: string,
): MachineVerdict {
  const metadata = rawAt(machine, 'metadata');
  const name = textOf(metadata['name']);
  const of = textOf(rawAt(machine, 'status', 'nodeRef')['name']);
  if (of !== node.name)
    return refused(`the Machine ${name} is of ${of === '' ? 'no node' : `the node ${of}`}`);
  if (metadata['deletionTimestamp'] !== undefined) return { is: 'deleting' };
  const spec = rawAt(deployment, 'spec');
  const pool = textOf(rawAt(deployment, 'metadata')['name']);
  if (pool === '' || pool !== deploymentOf(machine))
    return refused(`no MachineDeployment makes another Machine in the place of ${name}`);
  const strategy =
    textOf(rawAt(spec, 'rollout', 'strategy')['type']) || textOf(rawAt(spec, 'strategy')['type']);
  if (strategy !== 'OnDelete')
    return refused(
      `the MachineDeployment ${pool} has the strategy ${strategy || 'RollingUpdate'}: set OnDelete, or it takes nodes away by itself`,
    );
  const isPaused =
    spec['paused'] === true ||
    'cluster.x-k8s.io/paused' in rawAt(deployment, 'metadata', 'annotations') ||
    'cluster.x-k8s.io/paused' in rawAt(metadata, 'annotations');
  if (isPaused) return refused(`the MachineDeployment ${pool} is paused: nothing would come in its place`);
  const version = textOf(rawAt(spec, 'template', 'spec')['version']);
  if (kubernetesVersion !== '' && bare(version) !== bare(kubernetesVersion))
    return refused(
      `the MachineDeployment ${pool} gives Kubernetes ${version || 'of no version'}, the release has ${kubernetesVersion}`,
    );
  const [uid, resourceVersion] = [textOf(metadata['uid']), textOf(metadata['resourceVersion'])];
  return uid === '' || resourceVersion === ''
    ? refused(`the Machine ${name} has no identity`)
    : { is: 'may-go', uid, resourceVersion };
}

function bare(version: string): string {
  return version.startsWith('v') ? version.slice(1) : version;
}

function refused(text: string): MachineVerdict {
  return { is: 'refused', text };
}
