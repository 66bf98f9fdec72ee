import assert from 'node:assert/strict';
import { join } from 'node:path';
import { removeCertificates } from '@plinth/formats';
import { followConsoleLines, type MachineStatus } from '@plinth/local';
import { signPe } from '@plinth/trust';
import type { BootLab } from './boot-lab.ts';
import { copyDisk, type DiskCopy } from './disk-copy.ts';
import { openEsp } from './esp.ts';
import { ukiPath } from './tampering.ts';

/** Same length, so that the program keeps its layout. Both words of the second argument mean "no" (systemd's booleans). */
const CLOSED = 'systemd.import_credentials=no systemd.volatile=no';
const OPEN = 'systemd.import_credentials=yes systemd.volatile=n';

/** Of the command line, of the same length. */
const [ENFORCING, REPORTING] = ['enforcing=1', 'enforcing=0'];

export interface InstrumentedOptions {
  /** Default: the disk of the release under test. */
  readonly diskPath?: string;
  /** "reporting": SELinux refuses nothing, so that a test sees what others refuse. Default: as the image was built. */
  readonly selinux?: 'as built' | 'reporting';
}

/**
 * copyInstrumented copies the release's disk with a UKI that takes units from the machine's definition, signed with the
 * lab's own key: everything else of the node is as released, and a test can try on it what no API offers.
 */
export async function copyInstrumented(
  lab: BootLab,
  name: string,
  { diskPath = lab.release.diskPath, selinux = 'as built' }: InstrumentedOptions = {},
): Promise<DiskCopy> {
  const disk = await copyDisk(diskPath, join(lab.scratch, `${name}.raw`));
  const esp = openEsp(lab.toolbox, disk);
  const path = await ukiPath(esp);
  const uki = Buffer.from(removeCertificates(await esp.read(path)));
  const offset = uki.indexOf(CLOSED);
  assert.ok(offset > 0, 'the command line of the UKI does not say that credentials are not taken');
  uki.write(OPEN, offset, 'latin1');
  if (selinux === 'reporting') {
    const at = uki.indexOf(ENFORCING);
    assert.ok(at > 0, 'the command line of the UKI does not say that SELinux is enforced');
    uki.write(REPORTING, at, 'latin1');
  }
  await esp.write(path, await signPe(lab.keys.signers.boot, uki));
  return disk;
}

/** One step of a test on the node: programs run in turn, their words go to the console between two marks. */
export interface NodeStep {
  readonly name: string;
  /** Lines of ExecStart= without "ExecStart="; "-" before a program tolerates its failure. */
  readonly run: readonly string[];
  /** Further lines of [Service]. */
  readonly service?: readonly string[];
  /** Standard input of each program. */
  readonly input?: readonly string[];
}

/**
 * stepUnits makes the steps units that run one after the other at the end of the boot, as OEM strings of SMBIOS
 * (systemd.system-credentials(7)).
 */
export function stepUnits(steps: readonly NodeStep[]): string[] {
  const units = steps.map(({ name, run, service: settings = [], input = [] }, index) => {
    const before = steps[index - 1];
    const service = [
      '[Unit]',
      // After all that the boot starts by itself; the node is up by then.
      'DefaultDependencies=no',
      'After=multi-user.target',
      ...(before ? [`After=step-${before.name}.service`] : []),
      '[Service]',
      'Type=oneshot',
      'StandardOutput=file:/dev/console',
      'StandardError=file:/dev/console',
      ...(input.length > 0
        ? ['StandardInput=data', ...input.map((line) => `StandardInputText=${line}`)]
        : []),
      ...settings,
      `ExecStart=/usr/bin/systemd-escape ${markOf(name)}`,
      ...run.map((line) => `ExecStart=${line}`),
      `ExecStart=/usr/bin/systemd-escape ${markOf('end')}`,
      '',
    ];
    return credential(`systemd.extra-unit.step-${name}.service`, service.join('\n'));
  });
  const wants = steps.map(({ name }) => `step-${name}.service`).join(' ');
  return [...units, credential('systemd.unit-dropin.multi-user.target~steps', `[Unit]\nWants=${wants}\n`)];
}

/** What a step says before its own words; systemd-escape(1) leaves it as it is. */
function markOf(name: string): string {
  return `step:${name}`;
}

/**
 * readSteps waits for the last step and gives what each said, by name, as lines of the console: those of others may be
 * among them.
 */
export async function readSteps(
  machine: MachineStatus,
  steps: readonly NodeStep[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const said = new Map<string, string[]>();
  let current: string[] = [];
  let ended = 0;
  for await (const line of followConsoleLines(machine, signal)) {
    const [, name] = /step:(\w+)\s*$/.exec(line) ?? [];
    if (name === undefined) {
      current.push(line);
    } else if (name === 'end') {
      ended++;
    } else {
      current = [];
      said.set(name, current);
    }
    if (ended === steps.length) return new Map([...said].map(([step, lines]) => [step, lines.join('\n')]));
  }
  throw new Error(`only ${ended} of ${steps.length} steps ended; the last said:\n${current.join('\n')}`);
}

function credential(name: string, text: string): string {
  return `io.systemd.credential.binary:${name}=${Buffer.from(text).toString('base64')}`;
}
