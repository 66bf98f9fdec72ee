import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { removeTree } from '@plinth/host';
import { destroyMachine, type FirmwareCertificates, listMachines, type MachineSpec } from '@plinth/local';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { type KeyRing, loadKeys } from '@plinth/trust';
import { makeOwner, type Owner } from './owner.ts';
import { watchRefusals } from './refusals.ts';

/** The release under test and everything its boots need; shared by the tests of one file. */
export interface BootLab extends AsyncDisposable {
  readonly toolbox: Toolbox;
  readonly release: TestRelease;
  /** The keys that signed the release, and the folder they lie in. */
  readonly keys: KeyRing;
  readonly keysFolder: string;
  /** Their certificates, as the firmware of a machine gets them. */
  readonly certificates: FirmwareCertificates;
  /** Whose calls the machines answer. */
  readonly owner: Owner;
  readonly machinesRoot: string;
  /** Brings what SELinux refused on a machine that runs to the report, where the owner has had a word with it. */
  reportRefusals(name: string): Promise<void>;
  /** Does so, ends the machine and removes it. */
  endMachine(name: string): Promise<void>;
  /** For copies of disks and the like; removed at the end. */
  readonly scratch: string;
  /** Receives boot-report.md and the consoles; stays. */
  readonly reportFolder: string;
}

/** The files of a release that boots need. */
export interface TestRelease {
  readonly version: string;
  readonly diskPath: string;
  readonly ukiPath: string;
  readonly pcrsPath: string;
  readonly referencePath: string;
}

export interface LabOptions {
  /** What the tests of a file have SELinux refuse on purpose: anything else fails the file. Default: it is reported only. */
  readonly refusals?: readonly RegExp[];
}

/**
 * openBootLab opens the toolbox and the release that `plinth test` built.
 *
 * Environment: PLINTH_TEST_RELEASE, the folder of the release; PLINTH_TEST_KEYS, the key ring that signed it, without
 * a passphrase; PLINTH_TEST_LAYERS, the folder of the Kubernetes layers, for the tests that merge them;
 * PLINTH_TEST_OUT, where the report goes, by default `out` in the working directory.
 */
export async function openBootLab({ refusals }: LabOptions = {}): Promise<BootLab> {
  const toolbox = await openToolbox();
  const release = await findRelease(fromEnvironment('PLINTH_TEST_RELEASE'));
  const keysFolder = fromEnvironment('PLINTH_TEST_KEYS');
  const keys = await loadKeys(keysFolder);
  const scratch = await mkdtemp(join(tmpdir(), 'plinth-boot-'));
  const machinesRoot = join(scratch, 'machines');
  const reportFolder = resolve(process.env['PLINTH_TEST_OUT'] ?? 'out');
  await mkdir(reportFolder, { recursive: true });
  const watch = watchRefusals(await makeOwner(keys.signers['api-authority']), reportFolder, refusals);
  const reportRefusals = async (name: string) => {
    const machine = (await listMachines(machinesRoot)).find((each) => each.name === name);
    if (machine) await watch.ask(machine);
  };
  const endMachine = async (name: string) => {
    await reportRefusals(name);
    await destroyMachine(name, { root: machinesRoot });
  };
  const dispose = async () => {
    for (const { name } of await listMachines(machinesRoot)) await endMachine(name);
    await removeTree(scratch);
    watch.verify();
  };
  // The runner ends an interrupted test file with SIGTERM: its machines must not stay behind.
  process.once('SIGTERM', () => void dispose().finally(() => process.exit(143)));
  return {
    toolbox,
    release,
    keys,
    keysFolder,
    certificates: await writeCertificates(keys, join(scratch, 'certificates')),
    owner: watch.owner,
    machinesRoot,
    reportRefusals,
    endMachine,
    scratch,
    reportFolder,
    [Symbol.asyncDispose]: dispose,
  };
}

/** machineSpec is a machine under Secure Boot with a TPM that runs the release; `changes` win. */
export function machineSpec(lab: BootLab, name: string, changes: Partial<MachineSpec> = {}): MachineSpec {
  const spec: MachineSpec = {
    name,
    disk: { kind: 'raw', path: lab.release.diskPath },
    firmware: 'secure-boot',
    tpm: true,
    machineConfig: lab.owner.machineConfig(name),
    // A refused or panicking system must end here, not try for ever.
    onReboot: 'end',
    durability: 'throw-away',
    ...changes,
  };
  return spec.firmware === 'secure-boot' ? { ...spec, certificates: lab.certificates } : spec;
}

/** bareSpec is a machine as machineSpec makes it, whose definition says nothing of a config. */
export function bareSpec(lab: BootLab, name: string, changes: Partial<MachineSpec> = {}): MachineSpec {
  const { machineConfig: _, ...spec } = machineSpec(lab, name, changes);
  return spec;
}

/** One Kubernetes layer under test. */
export interface TestLayer {
  /** "1.37.1". */
  readonly version: string;
  readonly path: string;
}

/** findLayers gives the layers that `plinth test` built, oldest first. */
export async function findLayers(): Promise<readonly TestLayer[]> {
  const folder = fromEnvironment('PLINTH_TEST_LAYERS');
  const layers = (await readdir(folder)).flatMap((name) => {
    const version = /^kubernetes-(\d+\.\d+\.\d+)\.raw$/.exec(name)?.[1];
    return version === undefined ? [] : [{ version, path: join(folder, name) }];
  });
  return layers.sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
}

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value) return resolve(value);
  throw new Error(`Cannot boot a release: ${name} is not set. "plinth test --boot" builds one and sets it.`);
}

async function findRelease(folder: string): Promise<TestRelease> {
  const disks = (await readdir(folder)).flatMap((name) => /^plinth_(.+)_x86-64\.raw$/.exec(name)?.[1] ?? []);
  const version = disks[0];
  if (version === undefined || disks.length > 1) {
    throw new Error(`Cannot boot a release: ${disks.length} raw disks in ${folder}, expected one`);
  }
  const file = (suffix: string) => join(folder, `plinth_${version}_x86-64.${suffix}`);
  return {
    ...{ version, diskPath: file('raw'), ukiPath: file('efi') },
    ...{ pcrsPath: file('pcrs.json'), referencePath: file('reference.json') },
  };
}

async function writeCertificates(keys: KeyRing, folder: string): Promise<FirmwareCertificates> {
  await mkdir(folder);
  const write = async (role: 'platform-key' | 'key-exchange-key' | 'boot' | 'verity') => {
    const path = join(folder, `${role}.pem`);
    await writeFile(path, keys.signers[role].certificatePem);
    return path;
  };
  const [pk, kek] = [await write('platform-key'), await write('key-exchange-key')];
  return { ownerGuid: keys.ownerGuid, pk, kek, db: [await write('boot'), await write('verity')] };
}
