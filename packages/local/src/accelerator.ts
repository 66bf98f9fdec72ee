import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';

/** What executes the guest's instructions: the processor itself, or QEMU's translator (about ten times slower). */
export interface Accelerator {
  readonly kind: 'kvm' | 'tcg';
  /** Why this one, for a person. */
  readonly reason: string;
}

export interface AcceleratorFacts {
  /** The value of PLINTH_ACCEL. */
  readonly wanted: string | undefined;
  readonly kvmUsable: boolean;
  readonly cpuFlags: ReadonlySet<string>;
}

/**
 * chooseAccelerator decides from the facts. The KVM device alone proves nothing: paravirtual ones exist on processors
 * without the extensions and cannot run a stock kernel, so the processor must show vmx or svm as well.
 * @throws vm/bad-spec when PLINTH_ACCEL is neither kvm nor tcg
 */
export function chooseAccelerator(facts: AcceleratorFacts): Accelerator {
  const { wanted } = facts;
  if (wanted !== undefined && wanted !== '') {
    if (wanted === 'kvm' || wanted === 'tcg') return { kind: wanted, reason: `PLINTH_ACCEL is ${wanted}` };
    throw new PlinthError(
      'vm/bad-spec',
      `Cannot choose an accelerator: PLINTH_ACCEL is "${wanted}", expected kvm or tcg`,
      { hint: 'Unset PLINTH_ACCEL, or set it to kvm or tcg.' },
    );
  }
  if (!facts.kvmUsable) return { kind: 'tcg', reason: 'this user cannot use /dev/kvm' };
  if (!facts.cpuFlags.has('vmx') && !facts.cpuFlags.has('svm')) {
    return { kind: 'tcg', reason: 'the processor shows no virtualisation extension' };
  }
  return { kind: 'kvm', reason: '/dev/kvm is usable' };
}

/** detectAccelerator looks at this computer and decides. @throws vm/bad-spec */
export async function detectAccelerator(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Accelerator> {
  const kvmUsable = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  const cpuInfo = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return chooseAccelerator({ wanted: env['PLINTH_ACCEL'], kvmUsable, cpuFlags: parseCpuFlags(cpuInfo) });
}

/** parseCpuFlags reads the flags of the first processor in the text of /proc/cpuinfo. */
export function parseCpuFlags(cpuInfo: string): ReadonlySet<string> {
  const line = /^flags\s*:(.*)$/m.exec(cpuInfo)?.[1] ?? '';
  return new Set(line.trim().split(/\s+/));
}
