import { HOT_LAYER } from '@plinth/updates';
import { SYSTEM_STATE } from '../sys/state-folder.ts';

/** Folder in plinthd's StateStore. */
export const FOLDER = 'hot-layer';
/** Where the images of hot layers lie, by their SHA-256. */
export const IMAGES = `${SYSTEM_STATE}/${FOLDER}`;
/** Of go/mapped; see os/plinth.yaml. */
export const PLINTH_MAPPED = '/usr/bin/plinth-mapped';

/** Where systemd-sysext looks: what is chosen until the next reboot, and what stays (systemd-sysext(8)). */
export const LINKS = {
  trial: `/run/extensions/${HOT_LAYER}.raw`,
  kept: `/var/lib/extensions/${HOT_LAYER}.raw`,
} as const;

/** imageName is the file of an image in its folder. */
export function imageName(sha256: string): string {
  return `${sha256}.raw`;
}

/** imagePath is where an image lies. */
export function imagePath(sha256: string, folder: string = IMAGES): string {
  return `${folder}/${imageName(sha256)}`;
}
