import { at, isMap, isTrue, type Json, type JsonMap, listAt, mapAt, type Path, textAt } from './json.ts';
import type { KubeObject } from './kube-object.ts';

/** A container of a pod. */
export interface Container {
  readonly name: string;
  readonly role: 'init' | 'main' | 'ephemeral';
  readonly image: string;
  readonly value: JsonMap;
  readonly path: Path;
}

/** A pod, or the pods that a controller makes, whatever the kind of the controller. */
export interface PodView {
  readonly object: KubeObject;
  readonly spec: JsonMap;
  readonly specPath: Path;
  /** Labels and annotations of the pods. */
  readonly metadata: JsonMap;
  readonly metadataPath: Path;
  /** Init containers first: they write to the host before anything else runs. */
  readonly containers: readonly Container[];
  readonly isDaemon: boolean;
}

/** A mount of a volume in a container. */
export interface Mount {
  readonly container: Container;
  readonly mountPath: string;
  readonly readOnly: boolean;
  readonly subPath: string;
  readonly path: Path;
}

const SPECS: Readonly<Record<string, Path>> = {
  Pod: [],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  PodTemplate: ['template'],
};

/**
 * viewPod finds the pods in an object: in the kinds of Kubernetes, and in any other that carries a pod template where
 * controllers have it (spec.template). Undefined when there are none.
 */
export function viewPod(object: KubeObject): PodView | undefined {
  const base = SPECS[object.kind] ?? ['spec', 'template'];
  const specPath = [...base, 'spec'];
  const spec = at(object.value, ...specPath);
  if (!isMap(spec)) return undefined;
  const containers = [
    ...containersOf(spec, specPath, 'initContainers', 'init'),
    ...containersOf(spec, specPath, 'containers', 'main'),
    ...containersOf(spec, specPath, 'ephemeralContainers', 'ephemeral'),
  ];
  if (containers.length === 0) return undefined;
  const metadataPath = [...base, 'metadata'];
  return {
    object,
    spec,
    specPath,
    metadata: mapAt(object.value, ...metadataPath),
    metadataPath,
    containers,
    isDaemon: object.kind === 'DaemonSet',
  };
}

function containersOf(spec: JsonMap, specPath: Path, field: string, role: Container['role']): Container[] {
  return listAt(spec, field).flatMap((value, index) =>
    isMap(value)
      ? [
          {
            name: textAt(value, 'name') ?? `${field}[${index}]`,
            role,
            image: textAt(value, 'image') ?? '',
            value,
            path: [...specPath, field, index],
          },
        ]
      : [],
  );
}

/** A volume of a pod. */
export interface Volume {
  readonly name: string;
  readonly value: JsonMap;
  readonly path: Path;
}

/** volumesOf lists the volumes of a pod. */
export function volumesOf({ spec, specPath }: PodView): Volume[] {
  return listAt(spec, 'volumes').flatMap((value, index) =>
    isMap(value) ? [{ name: textAt(value, 'name') ?? '', value, path: [...specPath, 'volumes', index] }] : [],
  );
}

/** mountsOf lists where the containers of a pod mount a volume. */
export function mountsOf(pod: PodView, volume: string): Mount[] {
  return pod.containers.flatMap((container) =>
    mountsIn(container).filter((mount) => mount.volume === volume),
  );
}

/** mountsIn lists what a container mounts. */
export function mountsIn(container: Container): (Mount & { readonly volume: string })[] {
  return listAt(container.value, 'volumeMounts').flatMap((value, index) =>
    isMap(value)
      ? [
          {
            container,
            volume: textAt(value, 'name') ?? '',
            mountPath: textAt(value, 'mountPath') ?? '',
            readOnly: isTrue(at(value, 'readOnly')),
            subPath: textAt(value, 'subPath') ?? '',
            path: [...container.path, 'volumeMounts', index],
          },
        ]
      : [],
  );
}

/** One word of a command line of a container, and where it stands. */
export interface Word {
  readonly text: string;
  readonly path: Path;
}

/** commandWords are the words a container is started with: command, then args. */
export function commandWords({ value, path }: Container): Word[] {
  return ['command', 'args'].flatMap((field) =>
    listAt(value, field).flatMap((word: Json, index): Word[] =>
      typeof word === 'string' ? [{ text: word, path: [...path, field, index] }] : [],
    ),
  );
}
