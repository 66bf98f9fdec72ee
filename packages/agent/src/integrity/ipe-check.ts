import { type CheckSpec, type Finding, fail, pass, passIf, unknown } from '../checks/check.ts';
import { listDir, readText, type Sys } from '../sys/sys.ts';

const IPE = '/sys/kernel/security/ipe';
/** Of the image; PID 1 gives the policy the name of its file. */
const NAME = 'plinth';
/** The policy's text in the verified root, which the signed one must be. */
const IMAGE_POLICY = '/usr/lib/plinth/ipe.policy';
const OS_RELEASE = '/usr/lib/os-release';
const PID_1 = '/proc/1/status';
/** linux/capability.h */
const CAP_MAC_ADMIN = 33n;

/** The kernel holds the policy of this image, it alone is active, and it refuses. */
const ipe: CheckSpec = {
  id: 'ipe',
  expected: `the policy "${NAME}" of this image is active and refuses`,
  source: `${IPE}, ${IMAGE_POLICY}`,
  cause: 'Without Secure Boot the kernel has no key to check a policy with.',
  fix: 'Turn on Secure Boot with the keys of the release, and boot the image with its own kernel command line.',
  observe: observeIpe,
};

async function observeIpe(sys: Sys): Promise<Finding> {
  const enforce = await readText(sys, `${IPE}/enforce`);
  if (enforce === undefined) return fail('IPE is off');
  const active: string[] = [];
  for (const name of await listDir(sys, `${IPE}/policies`))
    if ((await readText(sys, `${IPE}/policies/${name}/active`)) === '1') active.push(name);
  if (active.length === 0) return fail('no policy is active');
  if (active.some((name) => name !== NAME)) return fail(`another policy is active: ${active.join(', ')}`);
  const [text, wanted] = [
    await readText(sys, `${IPE}/policies/${NAME}/policy`),
    await readText(sys, IMAGE_POLICY),
  ];
  if (wanted === undefined) return unknown(`${IMAGE_POLICY} is missing`);
  if (rulesOf(text ?? '') !== rulesOf(wanted))
    return fail('the active policy is another one than that of this image');
  const level = /^PLINTH_EXECUTE=(\w+)$/m.exec((await readText(sys, OS_RELEASE)) ?? '')?.[1] ?? 'unknown';
  const version = (await readText(sys, `${IPE}/policies/${NAME}/version`)) ?? 'unknown';
  return passIf(enforce === '1', `policy ${NAME} ${version}, level ${level}, enforce=${enforce}`);
}

/**
 * Without the first line, the name and version: after a soft-reboot the policy is that of the version that the firmware
 * started, whose rules are the same or there would have been no soft-reboot.
 */
function rulesOf(policy: string): string {
  return policy.slice(policy.indexOf('\n') + 1);
}

/** Who could switch IPE off, or load another policy, is gone until the next boot. */
const macAdmin: CheckSpec = {
  id: 'mac-admin',
  expected: "nobody can change the kernel's policies: PID 1 and all it starts are without CAP_MAC_ADMIN",
  source: PID_1,
  fix: 'Boot the signed image again; its PID 1 gives the capability up.',
  async observe(sys) {
    const text = await readText(sys, PID_1);
    const masks = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => ({
      name,
      mask: new RegExp(`^${name}:\\s*([0-9a-f]{16})$`, 'm').exec(text ?? '')?.[1],
    }));
    if (masks.some(({ mask }) => mask === undefined)) return unknown(`${PID_1} does not tell`);
    const held = masks.filter(({ mask }) => ((BigInt(`0x${mask}`) >> CAP_MAC_ADMIN) & 1n) === 1n);
    return held.length === 0
      ? pass('PID 1 is without it')
      : fail(`PID 1 has it: ${held.map(({ name }) => name).join(', ')}`);
  },
};

/** ipeChecks: what the kernel executes and takes into itself is ruled by the image's signed policy, for good. */
export const ipeChecks: readonly CheckSpec[] = [ipe, macAdmin];
