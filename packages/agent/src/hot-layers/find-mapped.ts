import { messageOf, PlinthError } from '@plinth/base';
import { z } from 'zod';
import { ProgramFailure, type Sys } from '../sys/sys.ts';
import { SYSTEMD_RUN, transientUnit } from '../sys/transient-unit.ts';
import { PLINTH_MAPPED } from './places.ts';

/** Fixed names: the journal has one place to look at for each. */
const UNITS = {
  replaced: ['plinth-mapped.service', 'Look for processes that map replaced files'],
  outside: ['plinth-mapped-outside.service', 'Look for code that is not of signed volumes'],
} as const;
const LIMIT_MS = 60_000;
/** A node of ten thousand processes that all map all replaced files ends here, and is then not fully observed. */
const LINES_LIMIT = 200_000;

/** The unit may see the maps of all processes; it opens nothing else, writes to its pipe, and is gone at once. */
const FENCE = [
  'CapabilityBoundingSet=CAP_SYS_PTRACE',
  'PrivateNetwork=yes',
  // The service manager takes no "none" for a transient unit; there is no network to reach either way.
  'RestrictAddressFamilies=AF_UNIX',
  'PrivateDevices=yes',
  'InaccessiblePaths=-/var -/etc/kubernetes',
  'RestrictNamespaces=yes',
  'SystemCallFilter=@system-service',
  'MemoryMax=64M',
  'TasksMax=32',
  'RuntimeMaxSec=60',
] as const;

/** One process that maps one file. */
export interface Mapping {
  readonly pid: number;
  readonly name: string;
  /** Path of its control group. */
  readonly cgroup: string;
  /** "major:minor" of the file system the file was mapped from, as mountinfo has it. */
  readonly device: string;
  readonly path: string;
}

/** What was seen. */
export interface MappedScan {
  readonly mappings: readonly Mapping[];
  /** Processes that were looked at. */
  readonly seen: number;
  /** Processes that the kernel did not show. */
  readonly hidden: number;
}

const mapping = z.object({
  pid: z.int().positive(),
  name: z.string().max(64),
  cgroup: z.string().max(4096),
  device: z.string().regex(/^\d+:\d+$/),
  path: z.string().max(4096),
});
const summary = z.object({ seen: z.int().min(0), hidden: z.int().min(0) });

/** mappedArguments are those of systemd-run, which starts plinth-mapped in a unit of its own. Pure. */
export function mappedArguments(
  words: readonly string[],
  question: keyof typeof UNITS = 'replaced',
): readonly string[] {
  const [unit, description] = UNITS[question];
  return transientUnit({ unit, description, properties: FENCE, command: [PLINTH_MAPPED, ...words] });
}

/** parseMapped reads the lines of plinth-mapped. Pure. @throws hot-layer/unobserved when they do not end as they must */
export function parseMapped(text: string): MappedScan {
  const lines = text.split('\n').filter((line) => line !== '');
  try {
    const end = summary.parse(JSON.parse(lines.at(-1) ?? ''));
    return { mappings: lines.slice(0, -1).map((line) => mapping.parse(JSON.parse(line))), ...end };
  } catch {
    throw unobserved('its answer is cut off or of another shape');
  }
}

/**
 * findMapped looks which processes map the given files, from whichever file system.
 * @throws hot-layer/unobserved
 */
export async function findMapped(
  sys: Pick<Sys, 'stream'>,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<MappedScan> {
  if (paths.length === 0) return { mappings: [], seen: 0, hidden: 0 };
  return parseMapped(await runMapped(sys, mappedArguments(paths), signal));
}

/**
 * findOutside looks which processes map code that lies on none of the devices; a mapping of device "0:0" without a path is
 * memory that belongs to no file.
 * @param devices "major:minor" as mountinfo has them, at least one
 * @throws hot-layer/unobserved
 */
export async function findOutside(
  sys: Pick<Sys, 'stream'>,
  devices: readonly string[],
  signal: AbortSignal,
): Promise<MappedScan> {
  return parseMapped(await runMapped(sys, mappedArguments(['--outside', ...devices], 'outside'), signal));
}

async function runMapped(
  sys: Pick<Sys, 'stream'>,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const piece of sys.stream(SYSTEMD_RUN, args, limit)) {
      sizeBytes += piece.length;
      if (sizeBytes > LINES_LIMIT * 300) throw unobserved('it says more than a node can have');
      pieces.push(piece);
    }
  } catch (reason) {
    if (reason instanceof PlinthError) throw reason;
    const said = reason instanceof ProgramFailure ? `: ${reason.stderr.trim().slice(-300)}` : '';
    throw unobserved(`${messageOf(reason)}${said}`);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function unobserved(state: string): PlinthError {
  return new PlinthError(
    'hot-layer/unobserved',
    `Cannot see what processes map: plinth-mapped: ${state}, expected its list`,
    { retryable: true },
  );
}
