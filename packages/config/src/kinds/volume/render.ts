import type { RenderedFile } from '../../framework/kind.ts';
import type { Volume } from './schema.ts';

/** Where volumes are mounted; plinthd unmounts what no document asks for any more only below it. */
export const VOLUMES_FOLDER = '/var/mnt';
/** Folder with a folder for each volume: what systemd-repart is to make. */
export const VOLUME_DEFINITIONS = '/run/plinth/volumes';
const UNITS = '/run/systemd/system';

/** volumeLabel is the label of a volume's partition, by which it is found again. */
export function volumeLabel(name: string): string {
  return `plinth-volume-${name}`;
}

/** volumePlace is where a volume is mounted. */
export function volumePlace(name: string): string {
  return `${VOLUMES_FOLDER}/${name}`;
}

/** volumeUnit is the stem of its units, as systemd-escape --path makes it of the place: a hyphen of the name is "\x2d". */
export function volumeUnit(name: string): string {
  return `var-mnt-${name.replaceAll('-', '\\x2d')}`;
}

/** volumeMountOptions are the options it is mounted with. */
export function volumeMountOptions({ options }: Pick<Volume, 'options'>): readonly string[] {
  return [
    'nosuid',
    'nodev',
    ...(options.includes('exec') ? [] : ['noexec']),
    ...(options.includes('noatime') ? ['noatime'] : []),
  ];
}

/** The label of the root of a new file system, which has none: what is made below it is for pods, as `container_file_t` says. */
const ROOT_LABEL = 'system_u:object_r:container_file_t:s0';

/** What systemd-repart makes, and the mount unit. */
export function renderVolume(volume: Volume): readonly RenderedFile[] {
  const { name } = volume;
  const file = (path: string, text: string) => ({ path, mode: 0o644, text, secret: false });
  return [
    file(
      `${VOLUME_DEFINITIONS}/${name}/volume.conf`,
      `[Partition]
Type=linux-generic
Label=${volumeLabel(name)}
Format=ext4
`,
    ),
    // Wanted by nothing: plinthd starts it when it has seen which disk it is. Stopped after what uses it.
    file(
      `${UNITS}/${volumeUnit(name)}.mount`,
      `[Unit]
Description=Volume ${name}
Before=containerd.service kubelet.service

[Mount]
What=/dev/disk/by-partlabel/${volumeLabel(name)}
Where=${volumePlace(name)}
Type=ext4
Options=${[...volumeMountOptions(volume), `rootcontext=${ROOT_LABEL}`].join(',')}
`,
    ),
  ];
}
