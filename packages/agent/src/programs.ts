import { PLINTH_MAPPED } from './hot-layers/places.ts';
import { MOUNT } from './integrity/probes.ts';
import { DMSETUP } from './integrity/root-checks.ts';
import { JOURNALCTL } from './kubernetes/units/run-unit.ts';
import { NETWORKCTL } from './network/networkctl.ts';
import { SYSTEMD_NOTIFY } from './notify.ts';
import { CONTAINERD, SYSTEMCTL } from './reports/versions.ts';
import { SYSTEMD_TMPFILES } from './sys/tmpfiles.ts';
import { SYSTEMD_RUN } from './sys/transient-unit.ts';
import { BUSCTL } from './system/bus-properties.ts';
import { IP } from './system/get-network.ts';
import { SS } from './system/list-sockets.ts';
import { PLINTH_SMART } from './system/smart/ask-disks.ts';
import { SYSTEMD_CRYPTENROLL } from './var-key/reseal-command.ts';
import { BLKID } from './volumes/prove-blank.ts';
import { E2FSCK, SYSTEMD_REPART } from './volumes/volume-units.ts';

/** Every program plinthd starts, by its path in the image; the image must have them all. */
export const agentPrograms: readonly string[] = [
  BLKID,
  BUSCTL,
  CONTAINERD,
  DMSETUP,
  E2FSCK,
  IP,
  JOURNALCTL,
  MOUNT,
  NETWORKCTL,
  PLINTH_MAPPED,
  PLINTH_SMART,
  SS,
  SYSTEMCTL,
  SYSTEMD_CRYPTENROLL,
  SYSTEMD_NOTIFY,
  SYSTEMD_REPART,
  SYSTEMD_RUN,
  SYSTEMD_TMPFILES,
];
