import { nodeApiPort } from '@plinth/api';
import type { Bind } from '@plinth/toolbox';
import type { Accelerator } from './accelerator.ts';
import { machineFiles as files } from './machine-files.ts';
import { type ClusterCard, type MachineSpec, machineDefaults } from './machine-spec.ts';

/** Where the tools see the machine's folder; their working directory. */
export const INSIDE = '/machine';

/** QEMU's name of the cluster network, by which its link is cut. */
export const CLUSTER_NETDEV = 'cluster';

/** Where the tools see the files outside that folder: short names without a comma, whatever the host calls them. */
const inside = {
  disk: '/image/disk',
  pk: '/keys/pk.pem',
  kek: '/keys/kek.pem',
  db: (index: number) => `/keys/db-${index}.pem`,
  kernel: '/kernel/linux',
  initrd: '/kernel/initrd',
  drive: (index: number) => `/drives/${index}`,
} as const;

/** A program of the toolbox, started inside the machine's folder. */
export interface ToolCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/** A file of text that only its owner may read: a machine configuration may carry secrets. */
export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/** Everything that starting a machine does, decided before anything is done. */
export interface MachinePlan {
  /** What of this computer the tools see. */
  readonly binds: readonly Bind[];
  readonly devKvm: boolean;
  /** Once, when the machine is made. */
  readonly creation: readonly ToolCommand[];
  /** At every start. */
  readonly textFiles: readonly TextFile[];
  readonly tpm: ToolCommand | undefined;
  readonly qemu: ToolCommand;
}

/** What is decided at the start, beside the spec. */
export interface MachinePlace {
  readonly folder: string;
  readonly apiPort: number;
  /** Absent: nothing leads to Kubernetes. */
  readonly kubernetesPort?: number;
  /** Names this machine for good; the node derives its machine id from it. */
  readonly uuid: string;
}

/** planMachine turns a checked spec into the programs and files of the machine; pure. */
export function planMachine(spec: MachineSpec, place: MachinePlace, accelerator: Accelerator): MachinePlan {
  const extraConfig = Object.entries(spec.firmwareConfig ?? {}).map(([name, text], index) => ({
    name,
    file: { name: `firmware-config-${index}`, text },
  }));
  if (spec.machineConfig !== undefined) {
    const file = { name: files.machineConfig, text: spec.machineConfig };
    extraConfig.unshift({ name: 'opt/dev.plinth/machine-config', file });
  }
  return {
    binds: [{ host: place.folder, inside: INSIDE }, ...planBinds(spec)],
    devKvm: accelerator.kind === 'kvm',
    creation: [...planDisk(spec), ...planFirmwareVariables(spec)],
    textFiles: extraConfig.map(({ file }) => file),
    tpm: spec.tpm ? planTpm() : undefined,
    qemu: {
      program: 'qemu-system-x86_64',
      args: [
        ...['-name', `${spec.name},process=plinth-${spec.name}`],
        ...['-nodefaults', '-no-user-config', '-display', 'none'],
        ...['-uuid', place.uuid, '-pidfile', files.qemuPid],
        // What QEMU itself may ask of this computer's kernel: it needs neither programs nor rights.
        ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
        ...processorArgs(spec, accelerator),
        ...firmwareArgs(spec),
        ...diskArgs(spec),
        ...networkArgs(place, spec.clusterCard),
        ...consoleArgs(),
        ...['-device', 'virtio-rng-pci', '-device', 'VGA'],
        // The one watchdog that QEMU and the kernel of clouds both know; it restarts the machine.
        ...['-device', 'i6300esb', '-action', 'watchdog=reset'],
        ...(spec.tpm ? tpmArgs() : []),
        ...extraConfig.flatMap(({ name, file }) => ['-fw_cfg', `name=${name},file=${file.name}`]),
        ...(spec.smbiosStrings ?? []).flatMap((text) => ['-smbios', `type=11,value=${escapeValue(text)}`]),
        ...(spec.clock === undefined ? [] : ['-rtc', `base=${spec.clock}`]),
        ...(spec.onReboot === 'end' ? ['-no-reboot'] : []),
      ],
    },
  };
}

/** In QEMU's option lists a comma ends a value; a doubled one stands for itself. */
function escapeValue(text: string): string {
  return text.replaceAll(',', ',,');
}

function planBinds(spec: MachineSpec): Bind[] {
  const { certificates, directKernel } = spec;
  const seen = (host: string, path: string, readOnly = true): Bind => ({ host, inside: path, readOnly });
  return [
    seen(spec.disk.path, inside.disk),
    ...(certificates ? [seen(certificates.pk, inside.pk), seen(certificates.kek, inside.kek)] : []),
    ...(certificates?.db ?? []).map((path, index) => seen(path, inside.db(index))),
    ...(directKernel
      ? [seen(directKernel.kernel, inside.kernel), seen(directKernel.initrd, inside.initrd)]
      : []),
    ...(spec.extraDrives ?? []).map((drive, index) => seen(drive.path, inside.drive(index), drive.readOnly)),
  ];
}

function planDisk(spec: MachineSpec): ToolCommand[] {
  const sizeBytes = spec.diskSizeBytes ?? machineDefaults.diskSizeBytes;
  const base = ['-b', inside.disk, '-F', spec.disk.kind];
  return [
    { program: 'qemu-img', args: ['create', '-q', '-f', 'qcow2', ...base, files.disk, String(sizeBytes)] },
  ];
}

function planFirmwareVariables(spec: MachineSpec): ToolCommand[] {
  const template = '/usr/share/OVMF/OVMF_VARS_4M.fd';
  const { certificates } = spec;
  if (spec.firmware === 'bios') return [];
  if (!certificates) return [{ program: 'cp', args: [template, files.firmwareVariables] }];
  const { ownerGuid } = certificates;
  return [
    {
      program: 'virt-fw-vars',
      args: [
        ...['--loglevel', 'WARNING', '--input', template, '--output', files.firmwareVariables],
        ...['--set-pk', ownerGuid, inside.pk, '--add-kek', ownerGuid, inside.kek],
        ...certificates.db.flatMap((_, index) => ['--add-db', ownerGuid, inside.db(index)]),
        '--secure-boot',
      ],
    },
  ];
}

/** swtpm(8): a TPM 2.0 that ends by itself when QEMU closes the connection. */
function planTpm(): ToolCommand {
  return {
    program: 'swtpm',
    args: [
      ...['socket', '--tpm2', '--tpmstate', `dir=${files.tpmState}`],
      ...['--ctrl', `type=unixio,path=${files.tpmSocket},mode=0600`, '--terminate'],
    ],
  };
}

function processorArgs(spec: MachineSpec, accelerator: Accelerator): string[] {
  const cpus = String(spec.cpus ?? machineDefaults.cpus);
  const memory = String(spec.memoryMiB ?? machineDefaults.memoryMiB);
  // EPYC boots as fast as the smallest model under translation (measured) and has what container images expect.
  const engine =
    accelerator.kind === 'kvm'
      ? ['-accel', 'kvm', '-cpu', 'host']
      : ['-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'EPYC'];
  return [...engine, '-smp', cpus, '-m', memory];
}

function firmwareArgs(spec: MachineSpec): string[] {
  const { directKernel } = spec;
  if (directKernel) {
    const kernel = ['-kernel', inside.kernel, '-initrd', inside.initrd];
    return ['-machine', 'q35', ...kernel, '-append', directKernel.commandLine];
  }
  const secure = spec.firmware === 'secure-boot';
  const code = secure ? 'OVMF_CODE_4M.secboot.fd' : 'OVMF_CODE_4M.fd';
  return [
    ...['-machine', secure ? 'q35,smm=on' : 'q35'],
    ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/${code}`],
    ...['-drive', `if=pflash,format=raw,unit=1,file=${files.firmwareVariables}`],
    // Without this the guest's kernel could write the key databases past the firmware.
    ...(secure ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    ...['-global', 'ICH9-LPC.disable_s3=1'],
  ];
}

const DRIVE_DEVICES = { virtio: 'virtio-blk-pci', nvme: 'nvme', sata: 'ide-hd' } as const;

function diskArgs(spec: MachineSpec): string[] {
  const cache = spec.durability === 'throw-away' ? 'unsafe' : 'writeback';
  const main = `if=none,id=disk,format=qcow2,file=${files.disk},cache=${cache},discard=unmap`;
  let sataDrives = 0;
  const extra = (spec.extraDrives ?? []).flatMap((drive, index) => {
    const readOnly = drive.readOnly ? ',readonly=on' : '';
    const options = `if=none,id=extra${index},format=${drive.format},file=${inside.drive(index)}${readOnly}`;
    const { attachedBy = 'virtio', serial: given } = drive;
    // An NVMe controller is not made without one.
    const number = given ?? (attachedBy === 'nvme' ? `extra${index}` : undefined);
    const serial = number === undefined ? '' : `,serial=${number}`;
    // Each port of the machine's own controller takes one drive.
    const port = attachedBy === 'sata' ? `,bus=ide.${sataDrives++}` : '';
    const device = `${DRIVE_DEVICES[attachedBy]},drive=extra${index}${port}${serial}`;
    return ['-drive', options, '-device', device];
  });
  return ['-drive', main, '-device', 'virtio-blk-pci,drive=disk,bootindex=1,serial=plinth', ...extra];
}

/** Where the API server of Kubernetes listens on every control plane. */
const KUBERNETES_PORT = 6443;

function networkArgs({ apiPort, kubernetesPort }: MachinePlace, card: ClusterCard | undefined): string[] {
  const forwards = [
    `hostfwd=tcp:127.0.0.1:${apiPort}-:${nodeApiPort}`,
    ...(kubernetesPort === undefined ? [] : [`hostfwd=tcp:127.0.0.1:${kubernetesPort}-:${KUBERNETES_PORT}`]),
  ];
  // romfile= drops the network boot code, which the firmware would run before the disk.
  const user = [
    '-netdev',
    `user,id=net,${forwards.join(',')}`,
    '-device',
    'virtio-net-pci,netdev=net,romfile=',
  ];
  if (!card) return user;
  return [
    ...user,
    // Without localaddr the frames would leave this computer by its default route.
    ...['-netdev', `socket,id=${CLUSTER_NETDEV},mcast=${card.group}:${card.port},localaddr=127.0.0.1`],
    ...['-device', `virtio-net-pci,netdev=${CLUSTER_NETDEV},mac=${card.mac},romfile=`],
  ];
}

function consoleArgs(): string[] {
  const socket = 'server=on,wait=off';
  return [
    ...['-chardev', `socket,id=console,path=${files.consoleSocket},${socket},logfile=${files.console}`],
    ...['-serial', 'chardev:console'],
    ...['-chardev', `socket,id=monitor,path=${files.monitorSocket},${socket}`],
    ...['-mon', 'chardev=monitor,mode=control'],
  ];
}

function tpmArgs(): string[] {
  return [
    ...['-chardev', `socket,id=tpm,path=${files.tpmSocket}`],
    ...['-tpmdev', 'emulator,id=tpm0,chardev=tpm', '-device', 'tpm-crb,tpmdev=tpm0'],
  ];
}
