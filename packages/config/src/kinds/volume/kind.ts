import { defineKind } from '../../framework/kind.ts';
import { renderVolume } from './render.ts';
import { volumeSchema } from './schema.ts';

export const volumeKind = defineKind({
  kind: 'Volume',
  property: 'volumes',
  count: 'many',
  summary: 'A disk of the node for data, at /var/mnt/NAME.',
  notes: [
    'On an empty disk the node makes a partition with ext4, once. A disk that carries anything else is refused and left as it is, and no setting makes the node wipe one. A disk counts as empty when it has no partition, libblkid finds nothing on it, and there are zeros wherever the node looks.',
    'A volume that was made and whose disk is gone is not made anew on another one. To begin afresh, apply a config without the document, then one with it.',
    'A document that is removed unmounts the volume; the data stays, and a document of the same name brings it back. A disk that has grown is filled at the next mount.',
    'There is no setting for the disk of the system: the image is written to a disk as a whole, and that disk boots it.',
  ],
  schema: volumeSchema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: Volume
name: fast
disk:
  serial: S5GXNX0T123456
  minimumSize: 100Gi
options: [noatime]
required: true
`,
  render: (volumes) => volumes.flatMap(renderVolume),
  effects: {
    // plinthd looks at it while it runs.
    '': { kind: 'live' },
    options: { kind: 'reboot', why: 'a file system keeps the options it was mounted with' },
  },
  reach: [],
});
