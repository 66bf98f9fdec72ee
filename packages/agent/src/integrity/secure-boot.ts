import { type CheckSpec, fail, passIf } from '../checks/check.ts';
import { EFI_GLOBAL, efiVariablePath, parseEfiByte } from '../kernel/efi-variable.ts';
import { readBytes } from '../sys/sys.ts';

const SECURE_BOOT = efiVariablePath('SecureBoot', EFI_GLOBAL);
const SETUP_MODE = efiVariablePath('SetupMode', EFI_GLOBAL);

/** secureBootCheck: the firmware ran only signed code, and its keys cannot be replaced without a signature. */
export const secureBootCheck: CheckSpec = {
  id: 'secure-boot',
  expected: 'Secure Boot on, setup mode off',
  source: SECURE_BOOT,
  fix: 'Turn on Secure Boot in the firmware and enrol the keys of the release.',
  async observe(sys) {
    const enabled = await readBytes(sys, SECURE_BOOT);
    if (!enabled) return fail('booted without UEFI, or its firmware has no Secure Boot');
    const setup = await readBytes(sys, SETUP_MODE);
    const on = parseEfiByte(enabled) === 1;
    const setupOff = setup !== undefined && parseEfiByte(setup) === 0;
    return passIf(on && setupOff, `Secure Boot ${on ? 'on' : 'off'}, setup mode ${setupOff ? 'off' : 'on'}`);
  },
};
