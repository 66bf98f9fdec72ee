import type { CapturePacketsRequest } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { transientUnit } from '../sys/transient-unit.ts';

/** Of go/capture; see os/plinth.yaml. */
export const PLINTH_CAPTURE = '/usr/bin/plinth-capture';
/** A fixed name: the service manager itself refuses a second capture, and the journal has one place to look at. */
export const CAPTURE_UNIT = 'plinth-capture.service';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Limits of the node, whatever is asked for. */
export const captureBounds = {
  durationSeconds: { min: 1, max: 600, usual: 30 },
  maxSizeBytes: { min: 4 * KIB, max: 256 * MIB, usual: 10 * MIB },
  maxPackets: { min: 0, max: 0xffff_ffff, usual: 0 },
  snapLengthBytes: { min: 16, max: 256 * KIB, usual: 256 * KIB },
} as const;

const TEXT_LIMIT = 200;
/** What is left is sent after the last packet; a reader who reads nothing is given up long before. */
const AFTERWARDS_SECONDS = 300;

/**
 * The unit may see packets and write to the pipe it is given; nothing else. A user of its own, one capability, one family
 * of sockets, no files, no devices.
 */
const FENCE = [
  'DynamicUser=yes',
  'CapabilityBoundingSet=CAP_NET_RAW',
  'AmbientCapabilities=CAP_NET_RAW',
  'RestrictAddressFamilies=AF_PACKET',
  'PrivateDevices=yes',
  'PrivateIPC=yes',
  'ProtectProc=invisible',
  'ProcSubset=pid',
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
  // Workloads come first.
  'MemoryMax=64M',
  'TasksMax=32',
  'CPUWeight=20',
] as const;

/**
 * captureArguments turns a request into the arguments of systemd-run, which starts plinth-capture in a unit of its own:
 * plinthd itself may open no raw socket. Pure. @throws capture/request-invalid
 */
export function captureArguments(request: CapturePacketsRequest, apiPort: number): readonly string[] {
  const { interface: name, filter } = request;
  if (request.reason.trim() === '') throw invalid('there is no reason', 'one for the audit log');
  if (request.reason.length > TEXT_LIMIT)
    throw invalid(`the reason has ${request.reason.length} characters`, `${TEXT_LIMIT} at most`);
  if (!/^(?:[0-9A-Za-z_][0-9A-Za-z_.:@-]{0,14})?$/.test(name))
    throw invalid('the interface has no possible name', 'up to 15 letters, digits and "_.:@-"');
  if (filter.length > TEXT_LIMIT || !/^[0-9A-Za-z.: ]*$/.test(filter))
    throw invalid(
      'the filter is too long or has other signs',
      `${TEXT_LIMIT} letters, digits, ".", ":" and spaces at most`,
    );
  const durationSeconds = within('durationSeconds', request.durationSeconds);
  return transientUnit({
    unit: CAPTURE_UNIT,
    description: 'Packet capture',
    properties: [...FENCE, `RuntimeMaxSec=${durationSeconds + AFTERWARDS_SECONDS}`],
    command: [
      ...[PLINTH_CAPTURE, `--interface=${name}`, `--filter=${filter}`, `--without-port=${apiPort}`],
      `--seconds=${durationSeconds}`,
      `--bytes=${within('maxSizeBytes', Number(request.maxSizeBytes))}`,
      `--packets=${within('maxPackets', request.maxPackets)}`,
      `--snap=${within('snapLengthBytes', request.snapLengthBytes)}`,
    ],
  });
}

function within(limit: keyof typeof captureBounds, asked: number): number {
  const { min, max, usual } = captureBounds[limit];
  if (asked === 0) return usual;
  if (asked >= min && asked <= max) return asked;
  throw invalid(`${limit} is ${asked}`, `${min} to ${max}`);
}

function invalid(state: string, expected: string): PlinthError {
  return new PlinthError('capture/request-invalid', `Cannot capture packets: ${state}, expected ${expected}`);
}
