/** A pod of a node, as far as it matters for moving it away. */
export interface DrainPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Kind of the controller that would start it elsewhere; undefined: nobody would. */
  readonly controllerKind: string | undefined;
  /** "Pending", "Running", "Succeeded", "Failed", … */
  readonly phase: string;
  /** It was asked to go. */
  readonly isDeleting: boolean;
  /** It keeps data in an emptyDir, which is lost with it. */
  readonly hasEmptyDir: boolean;
}

/** What the owner of the pods allows. */
export interface DrainRules {
  /** Pods that nobody starts elsewhere go too. */
  readonly evictUnmanaged: boolean;
  /** Pods go although what they keep in an emptyDir is lost. */
  readonly evictEmptyDir: boolean;
}

/** The pods of a node, sorted by what draining does to them. */
export interface DrainPlan<Pod extends DrainPod> {
  /** They are asked to go. */
  readonly evict: readonly Pod[];
  /** They were asked and have not gone yet. */
  readonly leaving: readonly Pod[];
  /** No controller starts them elsewhere, and nobody said that they may be lost. */
  readonly unmanaged: readonly Pod[];
  /** They keep data in an emptyDir, and nobody said that it may be lost. */
  readonly holdingData: readonly Pod[];
}

/** What the kubelet marks a static pod's copy in the cluster with. */
const MIRROR = 'kubernetes.io/config.mirror';

/**
 * planDrain decides which pods go. Those of a DaemonSet would be started here again, static pods belong to the
 * node, and finished ones do nothing: these three kinds stay, as with kubectl drain.
 */
export function planDrain<Pod extends DrainPod>(pods: readonly Pod[], rules: DrainRules): DrainPlan<Pod> {
  const plan = {
    ...{ evict: [] as Pod[], leaving: [] as Pod[], unmanaged: [] as Pod[], holdingData: [] as Pod[] },
  };
  for (const pod of pods) {
    if (Object.hasOwn(pod.annotations, MIRROR) || pod.controllerKind === 'DaemonSet') continue;
    if (pod.phase === 'Succeeded' || pod.phase === 'Failed') continue;
    if (pod.isDeleting) plan.leaving.push(pod);
    else if (pod.controllerKind === undefined && !rules.evictUnmanaged) plan.unmanaged.push(pod);
    else if (pod.hasEmptyDir && !rules.evictEmptyDir) plan.holdingData.push(pod);
    else plan.evict.push(pod);
  }
  return plan;
}

const NAMES_SHOWN = 5;

/** namesOfPods lists pods for people, the first few by name. */
export function namesOfPods(pods: readonly Pick<DrainPod, 'namespace' | 'name'>[]): string {
  const shown = pods
    .slice(0, NAMES_SHOWN)
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .join(', ');
  const more = pods.length - NAMES_SHOWN;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
