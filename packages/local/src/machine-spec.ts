import { isAbsolute } from 'node:path';
import { PlinthError } from '@plinth/base';

/**
 * How the machine boots. `secure-boot`: UEFI that starts only what the given keys signed; `uefi`: UEFI without Secure
 * Boot; `bios`: SeaBIOS with the kernel handed over by QEMU, for hosts without UEFI.
 */
export type Firmware = 'secure-boot' | 'uefi' | 'bios';

/** A disk image that stays as it is: machines keep their differences from it in a file of their own. */
export interface BaseDisk {
  readonly kind: 'raw' | 'qcow2';
  readonly path: string;
}

/** Certificates (PEM files) that the firmware of a new machine trusts, UEFI 2.11 section 32.3. */
export interface FirmwareCertificates {
  /** GUID of the owner of the entries. */
  readonly ownerGuid: string;
  readonly pk: string;
  readonly kek: string;
  readonly db: readonly string[];
}

export interface DirectKernel {
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
}

/** One more disk for the machine, used as it is (writes go to the file unless it is read-only). */
export interface ExtraDrive {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
  readonly readOnly: boolean;
  /** Serial number by which the machine finds the drive (virtio: at most 20 characters). */
  readonly serial?: string;
  /** How the machine is given it; default: virtio. Disks of the other two say something of their own health (SMART). */
  readonly attachedBy?: 'virtio' | 'nvme' | 'sata';
}

/**
 * The second network card of a machine. Machines with the same group and port hear each other, as on one cable: frames
 * are multicast on this computer's loopback device, so that no bridge, no process and no right is needed.
 */
export interface ClusterCard {
  /** IPv4 multicast address of the administratively scoped block (RFC 2365), 239.x.x.x. */
  readonly group: string;
  readonly port: number;
  /** Six hexadecimal bytes in lower case, separated by ":"; one that no other machine on the cable has. */
  readonly mac: string;
}

/** What one QEMU machine is. Paths are absolute. */
export interface MachineSpec {
  readonly name: string;
  readonly disk: BaseDisk;
  /** Size of the disk as the machine sees it; larger than the image, so that the first boot can make /var. */
  readonly diskSizeBytes?: number;
  readonly memoryMiB?: number;
  readonly cpus?: number;
  readonly firmware: Firmware;
  readonly tpm: boolean;
  /** Needed by, and only by, `secure-boot`. */
  readonly certificates?: FirmwareCertificates;
  /** Needed by, and only by, `bios`. */
  readonly directKernel?: DirectKernel;
  /** The machine configuration, handed over as the firmware configuration file opt/dev.plinth/machine-config. */
  readonly machineConfig?: string;
  /** Port on this computer's loopback address that leads to the API; 0 or absent: any free one. */
  readonly apiPort?: number;
  /** Port on the loopback address that leads to the API server of Kubernetes; 0: any free one; absent: none. */
  readonly kubernetesPort?: number;
  readonly clusterCard?: ClusterCard;
  /** What a reboot of the guest does; tests end the machine to see that it happened. */
  readonly onReboot?: 'restart' | 'end';
  /** `throw-away` lets QEMU skip every flush: fast, and worthless after a crash of this computer. */
  readonly durability?: 'kept' | 'throw-away';
  /** What the machine's clock says when it starts, such as 2031-05-01T00:00:00; default: the time of this computer. */
  readonly clock?: string;
  /** More firmware configuration files (QEMU fw_cfg), name to content. */
  readonly firmwareConfig?: Readonly<Record<string, string>>;
  /** OEM strings of the SMBIOS tables (type 11), which systemd reads credentials from. */
  readonly smbiosStrings?: readonly string[];
  readonly extraDrives?: readonly ExtraDrive[];
}

export const machineDefaults = {
  diskSizeBytes: 6 * 1024 ** 3,
  memoryMiB: 2048,
  cpus: 2,
} as const;

/** Of the controller that the machine type q35 has. */
const SATA_PORTS = 6;
const NAME = /^[a-z][a-z0-9-]{0,30}$/;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SERIAL = /^[A-Za-z0-9._-]{1,20}$/;
const GROUP = /^239(\.(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])){3}$/;
/** Unicast: the lowest bit of the first byte is 0. */
const MAC = /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/;
const CLOCK = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/;
const FIRMWARE_CONFIG_NAME = /^opt\/[A-Za-z0-9._/-]{1,51}$/;

/** checkMachineName refuses names that could leave the folder of machines. @throws vm/bad-spec */
export function checkMachineName(name: string): void {
  if (!NAME.test(name)) {
    throw bad('name', name, 'a lower-case letter and then up to 30 lower-case letters, digits or "-"');
  }
}

/**
 * checkMachineSpec refuses a machine that cannot exist before anything is made for it.
 * @throws vm/bad-spec
 */
export function checkMachineSpec(spec: MachineSpec): void {
  checkMachineName(spec.name);
  range('memory', spec.memoryMiB ?? machineDefaults.memoryMiB, 256, 1024 * 1024, 'MiB');
  range('number of processors', spec.cpus ?? machineDefaults.cpus, 1, 255, 'processors');
  range('disk size', spec.diskSizeBytes ?? machineDefaults.diskSizeBytes, 1024 ** 2, 64 * 1024 ** 4, 'bytes');
  range('API port', spec.apiPort ?? 0, 0, 65_535, 'as a port');
  range('Kubernetes port', spec.kubernetesPort ?? 0, 0, 65_535, 'as a port');
  checkClusterCard(spec.clusterCard);
  checkSerials(spec.extraDrives ?? []);
  const sataDrives = (spec.extraDrives ?? []).filter(({ attachedBy }) => attachedBy === 'sata').length;
  range('number of SATA drives', sataDrives, 0, SATA_PORTS, 'drives');
  if ((spec.firmware === 'secure-boot') !== (spec.certificates !== undefined)) {
    throw bad('certificates', spec.firmware, 'certificates with the firmware secure-boot, and only with it');
  }
  if ((spec.firmware === 'bios') !== (spec.directKernel !== undefined)) {
    throw bad('kernel', spec.firmware, 'a kernel to start with the firmware bios, and only with it');
  }
  if (spec.certificates && !GUID.test(spec.certificates.ownerGuid)) {
    throw bad('owner of the certificates', spec.certificates.ownerGuid, 'a GUID in lower case');
  }
  for (const name of Object.keys(spec.firmwareConfig ?? {})) {
    if (!FIRMWARE_CONFIG_NAME.test(name)) throw bad('firmware configuration', name, 'a name below opt/');
  }
  if (spec.clock !== undefined && !CLOCK.test(spec.clock)) {
    throw bad('clock', spec.clock, 'a time such as 2031-05-01T00:00:00');
  }
  for (const path of hostPaths(spec)) {
    if (!isAbsolute(path)) throw bad('path', path, 'an absolute path');
  }
}

function checkClusterCard(card: ClusterCard | undefined): void {
  if (!card) return;
  if (!GROUP.test(card.group)) throw bad('multicast group', card.group, 'an address from 239.0.0.0/8');
  range('multicast port', card.port, 1024, 65_535, 'as a port');
  if (!MAC.test(card.mac)) throw bad('MAC address', card.mac, 'six bytes such as 52:54:00:0a:05:0b');
}

function checkSerials(drives: readonly ExtraDrive[]): void {
  const seen = new Set(['plinth']);
  for (const { serial } of drives) {
    if (serial === undefined) continue;
    if (!SERIAL.test(serial)) {
      throw bad('serial number of a drive', serial, '1 to 20 letters, digits, ".", "_" or "-"');
    }
    if (seen.has(serial)) throw bad('serial number of a drive', serial, 'one that no other drive has');
    seen.add(serial);
  }
}

/** Every file outside the machine's own folder that the machine reads or writes. */
function hostPaths(spec: MachineSpec): string[] {
  const { certificates, directKernel } = spec;
  return [
    spec.disk.path,
    ...(certificates ? [certificates.pk, certificates.kek, ...certificates.db] : []),
    ...(directKernel ? [directKernel.kernel, directKernel.initrd] : []),
    ...(spec.extraDrives ?? []).map((drive) => drive.path),
  ];
}

function range(what: string, value: number, least: number, most: number, unit: string): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw bad(what, String(value), `${least} to ${most} ${unit}`);
  }
}

function bad(what: string, state: string, expected: string): PlinthError {
  return new PlinthError(
    'vm/bad-spec',
    `Cannot describe the machine: its ${what} is "${state}", expected ${expected}`,
  );
}
