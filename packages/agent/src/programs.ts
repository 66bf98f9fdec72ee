import { MOUNT } from './integrity/probes.ts';
import { DMSETUP } from './integrity/root-checks.ts';
import { SYSTEMD_TMPFILES } from './kubernetes/layers/choose-layer.ts';
import { JOURNALCTL } from './kubernetes/units/run-unit.ts';
import { NETWORKCTL } from './network/networkctl.ts';
import { SYSTEMD_NOTIFY } from './notify.ts';
import { CONTAINERD, SYSTEMCTL } from './reports/versions.ts';

/** Every program plinthd starts, by its path in the image; the image must have them all. */
export const agentPrograms: readonly string[] = [
  CONTAINERD,
  DMSETUP,
  JOURNALCTL,
  MOUNT,
  NETWORKCTL,
  SYSTEMCTL,
  SYSTEMD_NOTIFY,
  SYSTEMD_TMPFILES,
];
