import { type CheckSpec, fail, passIf } from '../checks/check.ts';
import { parseCommandLine } from '../kernel/command-line.ts';
import { readSystemStart } from '../reports/system-start.ts';
import { readText, type Sys } from '../sys/sys.ts';

const BANK = '/sys/class/tpm/tpm0/pcr-sha256';

/** One platform configuration register. */
export interface PcrValue {
  readonly index: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly meaning: string;
}

/** What is measured into each register: UAPI.7 (Linux TPM PCR Registry) and TCG PC Client Firmware Profile. */
const MEANINGS = [
  'firmware code',
  'firmware configuration',
  'option ROM code',
  'option ROM configuration',
  'boot loader code',
  'boot loader configuration and partition table',
  'vendor specific',
  'Secure Boot state and keys',
  'boot loader commands',
  'initrds loaded by the kernel',
  'IMA',
  'unified kernel image and boot phases',
  'kernel command line and credentials',
  'system extensions',
  'MOK lists',
  'root and /var volume',
];

/** readPcrs gives the SHA-256 bank, registers 0 to 15; empty without a TPM. */
export async function readPcrs(sys: Sys): Promise<readonly PcrValue[]> {
  const values: PcrValue[] = [];
  for (const [index, meaning] of MEANINGS.entries()) {
    const text = (await readText(sys, `${BANK}/${index}`))?.toLowerCase();
    if (text !== undefined && /^[0-9a-f]{64}$/.test(text)) values.push({ index, sha256: text, meaning });
  }
  return values;
}

/** measuredBootCheck: a TPM holds measurements of the firmware's policy and of the unified kernel image. */
export const measuredBootCheck: CheckSpec = {
  id: 'measured-boot',
  expected: 'a TPM with measurements in PCR 7 and PCR 11',
  source: BANK,
  fix: 'Give the machine a TPM 2.0 with a SHA-256 bank and boot by UEFI.',
  async observe(sys) {
    const pcrs = await readPcrs(sys);
    if (pcrs.length === 0) return fail('no TPM with a SHA-256 bank');
    const empty = [7, 11].filter((index) =>
      /^0*$/.test(pcrs.find((pcr) => pcr.index === index)?.sha256 ?? ''),
    );
    return passIf(
      empty.length === 0,
      empty.length === 0
        ? `${pcrs.length} registers, 7 and 11 measured${await whoseMeasurements(sys)}`
        : `nothing measured into PCR ${empty.join(', ')}`,
    );
  },
};

/** A soft-reboot measures nothing of what the firmware would: who attests the node has to hear of it. */
async function whoseMeasurements(sys: Sys): Promise<string> {
  if (!(await readSystemStart(sys)).soft) return '';
  const rootHash = parseCommandLine((await readText(sys, '/proc/cmdline')) ?? '').get('roothash');
  return `: of the version that the firmware started (root hash ${rootHash ?? 'unknown'}), not of the one that runs by soft-reboot; that is in PCR 15`;
}
