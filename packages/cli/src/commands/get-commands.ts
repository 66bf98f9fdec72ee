import { getBootCommand } from './get-boot.ts';
import { getBootstrapContainersCommand } from './get-bootstrap-containers.ts';
import { getCertificatesCommand } from './get-certificates.ts';
import { getCgroupsCommand } from './get-cgroups.ts';
import { getCisCommand } from './get-cis.ts';
import { getContainersCommand } from './get-containers.ts';
import { getDisksCommand } from './get-disks.ts';
import { getHealthCommand } from './get-health.ts';
import { getHotLayerCommand } from './get-hot-layer.ts';
import { getIdentityCommand } from './get-identity.ts';
import { getImagesCommand } from './get-images.ts';
import { getIntegrityCommand } from './get-integrity.ts';
import { getKubernetesCommand } from './get-kubernetes.ts';
import { getMachineCommand } from './get-machine.ts';
import { getMountsCommand } from './get-mounts.ts';
import { getNetworkCommand } from './get-network.ts';
import { getPeersCommand } from './get-peers.ts';
import { getPodsCommand } from './get-pods.ts';
import { getProcessesCommand } from './get-processes.ts';
import { getResourcesCommand } from './get-resources.ts';
import { getServicesCommand } from './get-services.ts';
import { getSlotsCommand } from './get-slots.ts';
import { getSocketsCommand } from './get-sockets.ts';
import { getTimeCommand } from './get-time.ts';
import { getUpdateCommand } from './get-update.ts';
import { getVersionsCommand } from './get-versions.ts';

/** What nodes can be asked: `plinth get …`, in the order of its help. */
export const getCommands = [
  getIntegrityCommand,
  getHealthCommand,
  getVersionsCommand,
  getSlotsCommand,
  getUpdateCommand,
  getBootCommand,
  getIdentityCommand,
  getMachineCommand,
  getKubernetesCommand,
  getHotLayerCommand,
  getCisCommand,
  getServicesCommand,
  getProcessesCommand,
  getResourcesCommand,
  getCgroupsCommand,
  getDisksCommand,
  getMountsCommand,
  getNetworkCommand,
  getSocketsCommand,
  getTimeCommand,
  getCertificatesCommand,
  getPeersCommand,
  getPodsCommand,
  getContainersCommand,
  getImagesCommand,
  getBootstrapContainersCommand,
] as const;
