import { z } from 'zod';
import type { DeepReadonly } from '../../framework/kind.ts';
import { bytes } from '../../framework/values.ts';

/** A GPT label has 36 characters, and the prefix takes 14 of them. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?$/;

const told = (what: string) =>
  z
    .string()
    .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/, `expected ${what} as the node shows it`);

/** Ways to name a disk; one of them is given. */
export const diskSelectors = ['serial', 'wwid', 'path', 'largestEmpty'] as const;

const disk = z
  .strictObject({
    serial: told('a serial number')
      .describe('Its serial number, as `plinth get disks -o json` shows it.')
      .optional(),
    wwid: told('a name')
      .describe('Its name for the whole world, as `plinth get disks -o json` shows it: eui.…, naa.….')
      .optional(),
    path: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.:+-]{0,127}$/, 'expected a name of /dev/disk/by-path: pci-0000:00:05.0')
      .describe('The path it is attached by, a name of /dev/disk/by-path: pci-0000:00:05.0.')
      .optional(),
    largestEmpty: z
      .literal(true)
      .describe(
        'The largest disk that is empty; of equal ones the first by name. Removable ones do not count.',
      )
      .optional(),
    minimumSize: bytes.describe('A smaller disk is refused, or passed over: 100Gi.').optional(),
  })
  .superRefine((given, context) => {
    if (diskSelectors.filter((each) => given[each] !== undefined).length !== 1)
      context.addIssue({ code: 'custom', message: `expected exactly one of ${diskSelectors.join(', ')}` });
  });

/** Options of a mount that may be asked for; nosuid and nodev are always set. */
export const volumeOptions = ['exec', 'noatime'] as const;

const options = z
  .array(z.enum(volumeOptions))
  .max(volumeOptions.length)
  .refine((all) => new Set(all).size === all.length, 'expected each option once')
  .default([])
  .describe(
    'With `exec` containers may run programs from it, which is refused otherwise; with `noatime` reading writes nothing. nosuid and nodev are always set.',
  );

/** A disk of the node for data. */
export const volumeSchema = z.strictObject({
  name: z
    .string()
    .regex(NAME, 'expected up to 22 lower-case letters, digits and hyphens')
    .describe(
      'Its name; it is mounted at /var/mnt/NAME, and its partition has the label plinth-volume-NAME.',
    ),
  disk: disk.describe(
    'The disk it is made on. Once made it is found by its label, wherever the disk is attached.',
  ),
  options,
  required: z
    .boolean()
    .default(false)
    .describe('Whether the kubelet starts only when it is mounted, and the node is unhealthy without it.'),
});

/** What is asked for a volume. */
export type Volume = DeepReadonly<z.infer<typeof volumeSchema>>;
