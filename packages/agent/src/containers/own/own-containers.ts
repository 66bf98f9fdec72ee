import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { PlinthError } from '@plinth/base';
import type { CriClient } from '../cri-client.ts';
import { Content } from '../gen/containerd_pb.ts';
import { Containers } from '../gen/containers_pb.ts';
import { OptionsSchema } from '../gen/runc-options_pb.ts';
import { Snapshots } from '../gen/snapshots_pb.ts';
import { Tasks } from '../gen/tasks_pb.ts';
import { openRuntime, runtimeError } from '../runtime-client.ts';
import { type ImageConfig, readImageConfig } from './image-config.ts';
import type { OciSpec } from './oci-spec.ts';
import { labelled, labelsOf, type OwnDomain, type OwnLabels } from './own-labels.ts';

/** Where a container's input and output lead: paths of pipes, or "file:///…" for output. Empty for nowhere. */
export interface ContainerIo {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
}

/** A container to start. */
export interface OwnContainer {
  /** Letters, digits and hyphens. */
  readonly id: string;
  /** What runs it: "bootstrap" or "session"; it finds its own again by that. */
  readonly owner: string;
  /** The image by a name the runtime knows; it has to be there. */
  readonly image: string;
  readonly io: ContainerIo;
  /** Where it stands in the SELinux policy, see os/selinux/own-containers.cil. */
  readonly domain: OwnDomain;
  /** The service manager ends all its processes after this time, whatever becomes of plinthd. */
  readonly longestMs: number;
  /** Makes the specification from what the image says. */
  spec(image: ImageConfig): OciSpec;
}

/**
 * Containers that are the node's own, run by containerd beside those of Kubernetes. They are no pods: they need no pause
 * image and no pod network, and the kubelet, which ends every pod it does not know, does not see them. Calls throw
 * containers/runtime-unreachable, or containers/failed with the runtime's words.
 */
export interface OwnContainers {
  /** Makes a container and starts it. Nothing of it is left when it throws. @throws containers/image-missing, containers/image-invalid */
  start(container: OwnContainer): Promise<void>;
  /** Waits for its end and gives its exit code; undefined when nobody knows it any more. Rejects with the signal's reason. */
  wait(id: string, signal: AbortSignal): Promise<number | undefined>;
  /** Sends a signal to its first process, or to all; nothing happens when it has ended. */
  kill(id: string, signal: number, all?: boolean): Promise<void>;
  resize(id: string, columns: number, rows: number): Promise<void>;
  /** Ends it and takes it away; nothing happens when there is none. */
  remove(id: string): Promise<void>;
  /** Ids of the containers of an owner, from before a restart too. */
  list(owner: string): Promise<readonly string[]>;
  close(): void;
}

export interface OwnContainersOptions {
  readonly cri: Pick<CriClient, 'image'>;
  readonly socket?: string;
  /** As in os/etc/containerd/config.toml; tests have their own. */
  readonly runtime?: string;
  readonly systemdCgroup?: boolean;
  /** Whether the kernel's controllers of memory and processes are there; on a node they always are. */
  readonly limits?: boolean;
  /** Whether the kernel has an SELinux policy; on a node it always has. */
  readonly selinux?: boolean;
}

const START_MS = 60_000;
const RETRY_MS = 1_000;
const END_MS = 10_000;
const SIGKILL = 9;
const CONFIG_LIMIT_BYTES = 1024 * 1024;
const SNAPSHOTTER = 'overlayfs';
const OWNER = 'plinth.dev/owner';
const SPEC_TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';

/** openOwnContainers gives them; nothing is dialled before the first call. */
export function openOwnContainers({
  cri,
  socket,
  runtime = '/usr/bin/crun',
  systemdCgroup = true,
  limits = true,
  selinux = true,
}: OwnContainersOptions): OwnContainers {
  const { transport, ask, close } = openRuntime(socket);
  const content = createClient(Content, transport);
  const containers = createClient(Containers, transport);
  const snapshots = createClient(Snapshots, transport);
  const tasks = createClient(Tasks, transport);
  const unlessGone = async (what: string, call: Promise<unknown>) => {
    await ask(
      what,
      call.catch((reason: unknown) => {
        if (!isGone(reason)) throw reason;
      }),
    );
  };

  async function imageConfig(name: string): Promise<ImageConfig> {
    const image = await cri.image(name);
    if (!image)
      throw new PlinthError(
        'containers/image-missing',
        `Cannot start a container of ${name}: the node does not have it, expected an image`,
      );
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    try {
      for await (const { data } of content.read({ digest: image.id })) {
        sizeBytes += data.length;
        if (sizeBytes > CONFIG_LIMIT_BYTES)
          throw new PlinthError(
            'containers/image-invalid',
            `Cannot use ${name}: its configuration is larger than ${CONFIG_LIMIT_BYTES} bytes, expected less`,
          );
        chunks.push(data);
      }
    } catch (reason) {
      throw reason instanceof PlinthError ? reason : runtimeError('read an image', reason);
    }
    return readImageConfig(Buffer.concat(chunks));
  }

  async function remove(id: string): Promise<void> {
    await unlessGone('end a container', tasks.kill({ containerId: id, signal: SIGKILL, all: true }));
    // What was killed takes a moment to be gone.
    const deadlineMs = performance.now() + END_MS;
    for (;;) {
      try {
        await tasks.delete({ containerId: id });
        break;
      } catch (reason) {
        if (isGone(reason)) break;
        if (performance.now() > deadlineMs) throw runtimeError('end a container', reason);
        await sleep(100);
      }
    }
    await unlessGone('remove a container', containers.delete({ id }));
    await unlessGone('remove a container', snapshots.remove({ snapshotter: SNAPSHOTTER, key: id }));
  }

  return {
    async start({ id, owner, image, io, domain, longestMs, spec: specOf }) {
      const config = await imageConfig(image);
      const labels = selinux ? labelsOf(domain) : undefined;
      const spec = specOf(config);
      try {
        const { mounts } = await ask(
          'prepare a container',
          snapshots.prepare({
            ...{ snapshotter: SNAPSHOTTER, key: id, parent: config.chainId },
            // Nothing refers to it before the container is there.
            labels: { 'containerd.io/gc.root': new Date().toISOString() },
          }),
        );
        await ask(
          'make a container',
          containers.create({
            container: {
              ...{ id, image, snapshotter: SNAPSHOTTER, snapshotKey: id, labels: { [OWNER]: owner } },
              runtime: {
                name: 'io.containerd.runc.v2',
                options: create(AnySchema, {
                  typeUrl: OptionsSchema.typeName,
                  value: toBinary(
                    OptionsSchema,
                    create(OptionsSchema, { binaryName: runtime, systemdCgroup }),
                  ),
                }),
              },
              spec: create(AnySchema, {
                typeUrl: SPEC_TYPE,
                value: Buffer.from(
                  JSON.stringify(placed(spec, { id, longestMs, systemdCgroup, limits, labels })),
                ),
              }),
            },
          }),
        );
        await ask(
          'make a container',
          tasks.create(
            {
              containerId: id,
              rootfs: labels ? mounts.map((mount) => labelled(mount, labels)) : mounts,
              ...io,
            },
            { timeoutMs: START_MS },
          ),
        );
        await ask('start a container', tasks.start({ containerId: id }, { timeoutMs: START_MS }));
      } catch (reason) {
        await remove(id).catch(() => {}); // the first failure is the one to tell
        throw reason;
      }
    },
    async wait(id, signal) {
      for (;;) {
        try {
          return (await tasks.wait({ containerId: id }, { signal, timeoutMs: 0 })).exitStatus;
        } catch (reason) {
          signal.throwIfAborted();
          if (isGone(reason)) return undefined;
          // The runtime restarts; the container goes on meanwhile.
          await sleep(RETRY_MS, undefined, { signal });
        }
      }
    },
    kill: (id, signal, all = false) =>
      unlessGone('end a container', tasks.kill({ containerId: id, signal, all })),
    resize: (id, columns, rows) =>
      unlessGone('resize a terminal', tasks.resizePty({ containerId: id, width: columns, height: rows })),
    remove,
    async list(owner) {
      const { containers: found } = await ask(
        'list containers',
        containers.list({ filters: [`labels."${OWNER}"==${owner}`] }),
      );
      return found.map(({ id }) => id);
    },
    close,
  };
}

/** Where the service manager keeps it, and how long. */
function placed(
  spec: OciSpec,
  given: {
    id: string;
    longestMs: number;
    systemdCgroup: boolean;
    limits: boolean;
    labels: OwnLabels | undefined;
  },
): object {
  const { id, longestMs, systemdCgroup, limits, labels } = given;
  const cgroupsPath = systemdCgroup ? `system.slice:plinth:${id}` : `/plinth/${id}`;
  const { devices, ...bounds } = spec.linux.resources;
  return {
    ...spec,
    process: { ...spec.process, ...(labels && { selinuxLabel: labels.process }) },
    linux: {
      ...spec.linux,
      cgroupsPath,
      resources: { devices, ...(limits && bounds) },
      ...(labels && { mountLabel: labels.files }),
    },
    annotations: { 'org.systemd.property.RuntimeMaxUSec': `uint64 ${Math.ceil(longestMs) * 1000}` },
  };
}

function isGone(reason: unknown): boolean {
  const { code, rawMessage } = ConnectError.from(reason);
  return (
    code === Code.NotFound || /process already finished|no such process|task .* not found/i.test(rawMessage)
  );
}
