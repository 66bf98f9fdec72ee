import { messageOf } from '@plinth/base';
import { z } from 'zod';
import { splitLines } from '../../sys/split-lines.ts';
import { ProgramFailure, type Sys } from '../../sys/sys.ts';
import { SYSTEMD_RUN, transientUnit } from '../../sys/transient-unit.ts';
import { type DiskHealthShape, readAtaHealth } from './read-ata-health.ts';
import { readNvmeHealth } from './read-nvme-health.ts';

/** Of go/smart; see os/plinth.yaml. */
export const PLINTH_SMART = '/usr/bin/plinth-smart';
/** A fixed name: while a disk that hangs holds the program, the service manager refuses another. */
const UNIT = 'plinth-smart.service';
/** A disk that does not answer costs a caller no more than this; a call of the API may take a little longer. */
const LIMIT_MS = 8_000;

/** The unit may read the disks it is given; it reaches nothing else. */
const FENCE = [
  'PrivateNetwork=yes',
  // The service manager takes no "none" for a transient unit; there is no network to reach either way.
  'RestrictAddressFamilies=AF_UNIX',
  'ProtectProc=invisible',
  'ProtectClock=yes',
  'ProtectControlGroups=yes',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'InaccessiblePaths=-/var -/etc/kubernetes',
  'RestrictNamespaces=yes',
  'SystemCallFilter=@system-service',
  'UMask=0077',
  'MemoryMax=64M',
  'TasksMax=600',
  'RuntimeMaxSec=60',
  'DevicePolicy=closed',
] as const;

/** A disk that has something to say of itself. */
export interface AskableDisk {
  /** Kernel name: "nvme0n1", "sda". */
  readonly name: string;
  readonly speaks: 'nvme' | 'ata';
}

/** What became of asking one disk. */
export type DiskAnswer = { readonly health: DiskHealthShape } | { readonly unread: string };

const base64 = z.base64().max(1024);
const line = z.object({
  disk: z.string().max(32),
  nvme: z.object({ health: base64 }).optional(),
  ata: z
    .object({
      identify: base64,
      values: base64.optional(),
      thresholds: base64.optional(),
      passed: z.boolean().optional(),
      endurance: base64.optional(),
    })
    .optional(),
  unread: z.string().max(300).optional(),
});

/** smartArguments are those of systemd-run, which starts plinth-smart in a unit of its own. Pure. */
export function smartArguments(disks: readonly AskableDisk[]): readonly string[] {
  const paths = disks.map(({ name }) => `/dev/${name}`);
  // The kernel wants one right for commands to an NVMe controller, and another for those of ATA in a SCSI command.
  const rights = [
    ...(disks.some(({ speaks }) => speaks === 'nvme') ? ['CAP_SYS_ADMIN'] : []),
    ...(disks.some(({ speaks }) => speaks === 'ata') ? ['CAP_SYS_RAWIO'] : []),
  ];
  const properties = [
    `CapabilityBoundingSet=${rights.join(' ')}`,
    ...FENCE,
    ...paths.map((path) => `DeviceAllow=${path} r`),
  ];
  return transientUnit({
    unit: UNIT,
    description: 'Ask disks for their health',
    properties,
    command: [PLINTH_SMART, ...paths],
  });
}

/**
 * askDisks asks disks for what they say of their own health. It never fails: of a disk that gives no answer it says why.
 * @returns an answer for each disk, by its name
 */
export async function askDisks(
  sys: Pick<Sys, 'stream'>,
  disks: readonly AskableDisk[],
): Promise<ReadonlyMap<string, DiskAnswer>> {
  const answers = new Map<string, DiskAnswer>();
  if (disks.length === 0) return answers;
  let why = 'it was not asked: plinth-smart ended without a word of it';
  const limit = AbortSignal.timeout(LIMIT_MS);
  try {
    for await (const lines of splitLines(sys.stream(SYSTEMD_RUN, smartArguments(disks), limit)))
      for (const text of lines.filter((one) => one !== '')) {
        const { disk, answer } = readLine(text);
        answers.set(disk, answer);
      }
  } catch (reason) {
    const said = reason instanceof ProgramFailure ? `: ${reason.stderr.trim().slice(-300)}` : '';
    why = `it was not asked: ${messageOf(reason)}${said}`;
  }
  if (limit.aborted) why = `it did not answer within ${LIMIT_MS / 1000} s`;
  return new Map(disks.map(({ name }) => [name, answers.get(name) ?? { unread: why }]));
}

/** @throws when the line has another shape */
function readLine(text: string): { readonly disk: string; readonly answer: DiskAnswer } {
  const { disk, nvme, ata, unread } = line.parse(JSON.parse(text));
  return { disk, answer: answerOf({ nvme, ata, unread }) };
}

function answerOf({ nvme, ata, unread }: Omit<z.infer<typeof line>, 'disk'>): DiskAnswer {
  if (unread !== undefined && unread !== '') return { unread };
  const bytes = (encoded: string | undefined) =>
    encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
  const health = nvme
    ? readNvmeHealth(Buffer.from(nvme.health, 'base64'))
    : ata &&
      readAtaHealth({
        identify: Buffer.from(ata.identify, 'base64'),
        ...{ values: bytes(ata.values), thresholds: bytes(ata.thresholds), endurance: bytes(ata.endurance) },
        passed: ata.passed,
      });
  return health ? { health } : { unread: 'it says nothing of its health, or says it in an unknown form' };
}
