import { PlinthError } from '@plinth/base';
import { parseBootEntryName, parseStagedEntryName } from '@plinth/updates';
import { z } from 'zod';
import { containerFiles } from '../bootstrap-containers/container-files.ts';
import { pullFor, pullPatience, removeImage, runContainer } from '../bootstrap-containers/run-container.ts';
import { openCri } from '../containers/cri-client.ts';
import { openOwnContainers } from '../containers/own/own-containers.ts';
import { tmpfilesPipes } from '../containers/own/pipes.ts';
import type { ClusterView } from '../health/collect-health.ts';
import { nodeClient } from '../kubernetes/cluster-life.ts';
import { parseKubernetesVersion } from '../kubernetes/kubernetes-version.ts';
import { systemdUnits } from '../kubernetes/units/run-unit.ts';
import { readSystemStart } from '../reports/system-start.ts';
import { SYSTEM_STATE } from '../sys/state-folder.ts';
import { assertBootable } from './activate/assert-bootable.ts';
import { layOutNextRoot } from './activate/soft/lay-out-next-root.ts';
import { openStartWays } from './activate/soft/open-start-ways.ts';
import { readyPodSchema } from './health/policy-checks.ts';
import { openUpdates, type Updates, type UpdatesParts } from './open-updates.ts';
import { openNodeMachine } from './stage/node-machine.ts';
import { openStager } from './stage/open-stager.ts';
import { openUpdateStore } from './stage/update-store.ts';

/** As many as a node runs at most. */
const PODS_LIMIT = 1000;
const PULL_MS = 30_000;
const podsSchema = z.object({ items: z.array(readyPodSchema) });

export interface ServeUpdatesOptions
  extends Pick<
    UpdatesParts,
    'sys' | 'files' | 'console' | 'policy' | 'health' | 'integrity' | 'probe' | 'signal'
  > {
  readonly nodeName: string;
  /** The node's cluster; undefined when it belongs to none. */
  readonly cluster: () => Promise<ClusterView | undefined>;
}

/** serveUpdates opens updates on the real disk of this node. */
export async function serveUpdates(options: ServeUpdatesOptions): Promise<Updates> {
  const { sys, files, nodeName, cluster, signal } = options;
  const store = openUpdateStore(files);
  const client = nodeClient(sys);
  const kubernetesMinors = async () => {
    const version = parseKubernetesVersion((await cluster())?.member.version ?? '');
    return version ? [`${version.major}.${version.minor}`] : [];
  };
  const cri = openCri();
  const running = {
    ...{
      cri,
      own: openOwnContainers({ cri }),
      files: containerFiles(
        `${SYSTEM_STATE}/update-checks`,
        tmpfilesPipes(sys, files, 'update-check-pipes.conf'),
      ),
      signal,
    },
    // It is tried again with a later look.
    limits: { pullMs: PULL_MS },
  };
  return openUpdates({
    ...options,
    store,
    stager: openStager({
      ...{ sys, store: files, updates: store, kubernetesMinors, signal },
      machine: () =>
        openNodeMachine(sys).catch((reason: unknown) => {
          throw PlinthError.from(
            reason,
            'update/disk-unreadable',
            'Cannot find the disk that the system runs from',
          );
        }),
    }),
    start: await readSystemStart(sys),
    startWays: openStartWays({ sys, esp: async () => (await openNodeMachine(sys)).esp }),
    layOutNextRoot: (disk, version) =>
      layOutNextRoot({ machine: () => openNodeMachine(sys), units: systemdUnits(sys) }, disk, version),
    kubernetesMinors,
    assertBootable: async (version) => {
      const { esp } = await openNodeMachine(sys);
      const names = (file: string) => parseStagedEntryName(file) ?? parseBootEntryName(file)?.version;
      const file = (await esp.list()).find(({ name }) => names(name) === version);
      if (!file) return; // the plan says that it is not staged
      const { name, sizeBytes } = file;
      await assertBootable(sys, { sizeBytes, read: (at, length) => esp.read(name, at, length) }, version);
    },
    runContainer: async (spec) => {
      const brought = await pullFor(running, spec, pullPatience(running));
      try {
        return await runContainer(running, spec);
      } finally {
        if (brought) await removeImage(running, spec.image);
      }
    },
    pods: async () => {
      const query = new URLSearchParams({
        fieldSelector: `spec.nodeName=${nodeName}`,
        limit: `${PODS_LIMIT}`,
      });
      return (await client.get(`/api/v1/pods?${query}`, podsSchema)).items;
    },
  });
}
