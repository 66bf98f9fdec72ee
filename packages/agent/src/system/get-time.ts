import type { MessageInitShape } from '@bufbuild/protobuf';

import type { GetTimeResponseSchema } from '@plinth/api';
import { z } from 'zod';
import { formatAddress } from '../kernel/socket-table.ts';
import { isMissing, readText, type Sys } from '../sys/sys.ts';
import { BUSCTL, parseProperties } from './bus-properties.ts';
import { openObservation, runText } from './observing.ts';
import { durationFromUs, stampFromMs } from './times.ts';

/** systemd-timesyncd touches it whenever a server has set the clock (systemd-timesyncd.service(8)). */
const SYNCHRONIZED = '/run/systemd/timesync/synchronized';
const CLOCK_SOURCE = '/sys/devices/system/clocksource/clocksource0/current_clocksource';
const RTC = '/sys/class/rtc/rtc0/since_epoch';
const PROPERTIES = [
  ...['RuntimeNTPServers', 'SystemNTPServers', 'LinkNTPServers', 'FallbackNTPServers'],
  ...['ServerName', 'ServerAddress', 'PollIntervalUSec', 'NTPMessage', 'Frequency'],
];
const OBJECT = [
  'org.freedesktop.timesync1',
  '/org/freedesktop/timesync1',
  'org.freedesktop.timesync1.Manager',
];
/** The kernel counts the frequency in parts of 2^16 of a millionth (adjtimex(2)). */
const FREQUENCY_UNIT = 65_536;

type TimeShape = MessageInitShape<typeof GetTimeResponseSchema>;

/** getTime asks systemd-timesyncd and the kernel for the state of the clock. */
export async function getTime(sys: Sys): Promise<TimeShape> {
  const { attempt, notObserved } = openObservation();
  const [server, lastMs, clockSource, rtcOffsetMs] = await Promise.all([
    attempt('time server', async () =>
      timeServer(await runText(sys, BUSCTL, ['--json=short', 'get-property', ...OBJECT, ...PROPERTIES])),
    ),
    attempt('last synchronisation', () => lastSynchronised(sys)),
    attempt('clock source', () => readText(sys, CLOCK_SOURCE)),
    attempt('battery-backed clock', () => rtcOffset(sys)),
  ]);
  return {
    ...server,
    now: stampFromMs(sys.nowMs()),
    synchronised: lastMs !== undefined && lastMs > 0,
    ...(lastMs !== undefined && lastMs > 0 && { lastSynchronisedAt: stampFromMs(lastMs) }),
    clockSource: clockSource ?? '',
    ...(rtcOffsetMs !== undefined && { rtcOffset: durationFromUs(rtcOffsetMs * 1000) }),
    notObserved,
  };
}

/** 0 when no server has set the clock since the machine started. */
async function lastSynchronised(sys: Sys): Promise<number> {
  try {
    return await sys.modifiedAtMs(SYNCHRONIZED);
  } catch (reason) {
    if (isMissing(reason)) return 0;
    throw reason;
  }
}

/** Undefined for a machine without such a clock. */
async function rtcOffset(sys: Sys): Promise<number | undefined> {
  const text = await readText(sys, RTC);
  if (text === undefined) return undefined;
  // It tells whole seconds: half of one is the best guess of the rest.
  return Math.round((Number(text) * 1000 + 500 - sys.nowMs()) / 1000) * 1000;
}

const names = z.array(z.string().max(253)).max(100);
const count = z.number().nonnegative();
const reference = z.array(z.number().int().min(0).max(255)).max(16);
/** Leap, version, mode, stratum; precision, root delay and dispersion, reference; four time stamps; ignored, packets, jitter. */
const message = z.tuple([
  ...([count, count, count, count] as const),
  ...([z.number(), count, count, reference] as const),
  ...([count, count, count, count] as const),
  ...([z.boolean(), count, count] as const),
]);
const properties = z.tuple([
  ...([names, names, names, names] as const),
  ...([z.string(), z.tuple([z.number(), reference]), count, message, z.number()] as const),
]);

/** timeServer reads the properties of systemd-timesyncd. Throws when they have another shape. */
export function timeServer(text: string): TimeShape {
  const [runtime, system, ofLinks, fallback, server, address, pollUs, answer, frequency] = properties.parse(
    parseProperties(text),
  );
  const [originUs, receivedUs, sentUs, arrivedUs] = [answer[8], answer[9], answer[10], answer[11]];
  const [stratum, follows, ignored, packets, jitterUs] = [
    answer[3],
    answer[7],
    answer[12],
    answer[13],
    answer[14],
  ];
  const answered = packets > 0 && !ignored;
  // RFC 5905, 8: what the server's two stamps are ahead of ours, in the middle; and the time on the way.
  const offsetUs = (receivedUs - originUs + (sentUs - arrivedUs)) / 2;
  const roundTripUs = arrivedUs - originUs - (sentUs - receivedUs);
  return {
    ...{ server, serverAddress: addressText(address[1]) },
    servers: [...runtime, ...system, ...ofLinks, ...fallback],
    ...(server !== '' && { pollInterval: durationFromUs(pollUs) }),
    packets: BigInt(packets),
    ...(answered && {
      ...{ stratum, reference: referenceText(stratum, follows), driftPpm: frequency / FREQUENCY_UNIT },
      ...{
        offset: durationFromUs(offsetUs),
        roundTrip: durationFromUs(Math.max(0, roundTripUs)),
      },
      jitter: durationFromUs(jitterUs),
    }),
  };
}

function addressText(bytes: readonly number[]): string {
  return bytes.length === 4 || bytes.length === 16 ? formatAddress(Uint8Array.from(bytes)) : '';
}

/** The first stratum follows a device named in four letters, all others a server (RFC 5905, 7.3). */
function referenceText(stratum: number, bytes: readonly number[]): string {
  const text = String.fromCharCode(...bytes).replace(/\0+$/, '');
  return stratum <= 1 && /^[\x20-\x7e]{0,4}$/.test(text) ? text : addressText(bytes);
}
