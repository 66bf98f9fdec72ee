import { type Finding, fail, pass, passIf, unknown } from '../checks/check.ts';
import { isMissing, type Sys } from '../sys/sys.ts';
import type { PeerClock } from './kubernetes-observer.ts';
import type { HealthRule, MemberView, NodeView } from './rule.ts';

const OS_RELEASE = '/usr/lib/os-release';
/** systemd-timesyncd touches it when a server has set the clock (systemd-timesyncd.service(8)). */
const SYNCHRONIZED = '/run/systemd/timesync/synchronized';
/** No image is used for so long: a clock beyond it is set wrong, and every certificate has ended. */
const IMAGE_LIFE_MS = 10 * 365 * 24 * 60 * 60_000;
/** Leases of nodes and leaders live for seconds, and HTTP tells the time to a second. */
const SKEW_LIMIT_MS = 5_000;

export const timeRules: readonly HealthRule<NodeView>[] = [
  {
    id: 'clock',
    expected: 'between the build of the image and ten years later',
    source: OS_RELEASE,
    cause: "The machine's clock is not set: its battery is empty, or the hypervisor gives a wrong time.",
    fix: 'Let the node reach a time server, or set the clock of the machine.',
    observe: async ({ sys }) => judgeClock(sys.nowMs(), await sys.modifiedAtMs(OS_RELEASE)),
  },
];

export const memberTimeRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'time-synchronised',
    expected: 'the clock follows a time server, or agrees with the other control planes',
    source: `${SYNCHRONIZED}, Date of other API servers`,
    cause: 'No time server answers: none is configured, or UDP port 123 is closed.',
    fix: 'Name a time server that the node can reach.',
    observe: async ({ sys, kubernetes }) => {
      if (await exists(sys, SYNCHRONIZED)) return judgeSynchronised(true, []);
      return judgeSynchronised(false, await kubernetes.peerClocks());
    },
  },
  {
    id: 'time-skew',
    expected: `less than ${SKEW_LIMIT_MS / 1000} s from every other control plane`,
    source: 'Date of other API servers',
    cause: 'One of the machines has lost its time server, or its clock was set by hand.',
    fix: 'Compare the clocks of the nodes named here and let the wrong one reach a time server.',
    observe: async ({ kubernetes }) => judgeSkew(await kubernetes.peerClocks()),
  },
];

/** judgeClock: a clock that is wrong by years makes every certificate invalid. */
export function judgeClock(nowMs: number, imageBuiltMs: number): Finding {
  const time = new Date(nowMs).toISOString();
  if (nowMs < imageBuiltMs) return fail(`${time}, before the image was built`);
  return passIf(nowMs - imageBuiltMs < IMAGE_LIFE_MS, time);
}

/** judgeSynchronised: what harms is a difference between machines; where there is no other one, there is none. */
export function judgeSynchronised(synchronised: boolean, peers: readonly PeerClock[]): Finding {
  if (synchronised) return pass('follows a time server');
  if (peers.length === 0) return pass('no time server, and no other control plane to differ from');
  const { verdict } = judgeSkew(peers);
  return passIf(
    verdict === 'pass',
    `no time server; ${peers.length} other clock(s) ${verdict === 'pass' ? 'agree' : 'differ'}`,
  );
}

/** judgeSkew compares our clock with those of other machines. */
export function judgeSkew(peers: readonly PeerClock[]): Finding {
  if (peers.some(({ skewMs }) => Number.isNaN(skewMs)))
    return unknown('a control plane does not tell its time');
  if (peers.length === 0) return pass('no other control plane');
  const far = peers.filter(({ skewMs }) => Math.abs(skewMs) >= SKEW_LIMIT_MS);
  const tell = (clocks: readonly PeerClock[]) =>
    clocks.map(({ server, skewMs }) => `${server} ${(skewMs / 1000).toFixed(1)} s`).join(', ');
  return far.length > 0 ? fail(tell(far)) : pass(tell(peers));
}

async function exists(sys: Sys, path: string): Promise<boolean> {
  try {
    await sys.modifiedAtMs(path);
    return true;
  } catch (reason) {
    if (isMissing(reason)) return false;
    throw reason;
  }
}
