import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';

/** What may execute on a node of the image; see os/ipe and docs/adr/0050. */
export const executeLevels = ['audit', 'signed', 'open'] as const;
export type ExecuteLevel = (typeof executeLevels)[number];

/** Name of the policy in the kernel. PID 1 takes it from the file's name, so both are one. */
export const IPE_POLICY_NAME = 'plinth';

/** Where the root has the policy as text, for whoever compares it with what the kernel says. */
export const IPE_POLICY_PATH = 'usr/lib/plinth/ipe.policy';

/** Operations of IPE in Linux 6.12 (Documentation/admin-guide/LSM/ipe.rst). */
const OPERATIONS = /^(?:EXECUTE|FIRMWARE|KMODULE|KEXEC_IMAGE|KEXEC_INITRAMFS|POLICY|X509_CERT)$/;
const PROPERTY = /^(?:boot_verified|dmverity_signature)=(?:TRUE|FALSE)$/;
const ACTION = /^action=(?:ALLOW|DENY)$/;
/** The kernel takes 4096 bytes of signed policy well; a source of more is no source a person reads. */
const LIMIT_BYTES = 16_384;

/**
 * readIpePolicy joins os/ipe/kernel.policy and the level's own file to the policy of one image.
 * @param version of the image
 * @throws image/ipe-policy-invalid, host/io
 */
export async function readIpePolicy(osDir: string, level: ExecuteLevel, version: string): Promise<string> {
  const names = ['kernel.policy', `execute-${level}.policy`];
  const sources = await Promise.all(
    names.map(async (name) => {
      const path = join(osDir, 'ipe', name);
      const text = await readFile(path, 'utf8').catch((reason: unknown) => {
        throw ioError(reason, `read ${path}`);
      });
      return { name, text };
    }),
  );
  return renderIpePolicy(sources, version);
}

/**
 * renderIpePolicy makes a policy of its sources: the header with name and version, then the sources as they are, with
 * their reasons. Pure. A line that the kernel would not take is an error here, because there it would end the boot.
 * @throws image/ipe-policy-invalid
 */
export function renderIpePolicy(
  sources: readonly { readonly name: string; readonly text: string }[],
  version: string,
): string {
  const rules: string[] = [];
  for (const { name, text } of sources) {
    if (text.length > LIMIT_BYTES)
      throw invalid(name, `it has ${text.length} characters`, `at most ${LIMIT_BYTES}`);
    for (const [index, line] of text.split('\n').entries()) {
      const rule = line.replace(/#.*/, '').trim();
      if (rule === '') continue;
      requireRule(rule, `${name}:${index + 1}`);
      rules.push(rule);
    }
  }
  const globals = rules.filter((rule) => rule.startsWith('DEFAULT action='));
  if (globals.length !== 1) throw invalid('os/ipe', `${globals.length} lines "DEFAULT action="`, 'one');
  const header = `policy_name=${IPE_POLICY_NAME} policy_version=${ipeVersion(version)}`;
  return [header, ...sources.map(({ text }) => text.trimEnd()), ''].join('\n');
}

/**
 * ipeVersion is the version of an image as the kernel takes it: three numbers below 65536. It grows with the image's,
 * and is the same for a pre-release and its release: within one boot the kernel refuses an older policy.
 */
export function ipeVersion(version: string): string {
  const numbers = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version)?.slice(1) ?? [];
  return [0, 1, 2].map((index) => Math.min(Number(numbers[index] ?? 0), 65_535)).join('.');
}

function requireRule(rule: string, place: string): void {
  const words = rule.split(/\s+/);
  const isDefault = words[0] === 'DEFAULT';
  const rest = isDefault ? words.slice(1) : words;
  const operation = rest[0]?.startsWith('op=') ? rest.shift()?.slice(3) : undefined;
  if (operation === undefined ? !isDefault : !OPERATIONS.test(operation)) {
    throw invalid(place, `"${rule}" names no operation`, 'op=EXECUTE or another of IPE');
  }
  const action = rest.pop() ?? '';
  if (!ACTION.test(action))
    throw invalid(place, `"${rule}" ends with "${action}"`, 'action=ALLOW or action=DENY');
  const wrong = rest.find((word) => isDefault || !PROPERTY.test(word));
  if (wrong !== undefined)
    throw invalid(place, `"${wrong}" is no property`, 'boot_verified= or dmverity_signature=');
}

function invalid(place: string, state: string, expected: string): PlinthError {
  return new PlinthError('image/ipe-policy-invalid', `Cannot use ${place}: ${state}, expected ${expected}`);
}
