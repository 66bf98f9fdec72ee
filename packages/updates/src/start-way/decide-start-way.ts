/** What a UKI makes of a machine that starts by it, as far as a soft-reboot keeps it. */
export interface BootedBy {
  /** Of the section .linux. */
  readonly kernelSha256: string;
  /** "6.12.107+deb13-cloud-amd64". */
  readonly kernelRelease: string;
  /** Of the section .ucode, microcode that the kernel loads before all else; "" when there is none. */
  readonly microcodeSha256: string;
  /** Of the section .dtb; "" when there is none. */
  readonly deviceTreeSha256: string;
  readonly commandLine: string;
  /** PLINTH_START_SETUP of its os-release: what its initrd lays out for the root. "" when it does not say. */
  readonly startSetup: string;
}

/** The system that runs: its UKI on the ESP, and what the kernel says of itself. */
export interface RunningSystem extends BootedBy {
  readonly version: string;
}

/** What decides how a staged version can be started. */
export interface StartWayFacts {
  /** Undefined: the UKI that the system runs by cannot be read. */
  readonly running: RunningSystem | undefined;
  /** Undefined: the staged UKI cannot be read. */
  readonly next: (BootedBy & { readonly version: string }) | undefined;
  /** Whether the version is newer than the one that runs. */
  readonly newer: boolean;
  /** Why this machine makes no soft-reboot now, whatever the version is; "" when it can. */
  readonly obstacle: string;
}

/**
 * How a version is started. soft-reboot: user space ends and starts anew in the new root, the kernel goes on. reboot: by the firmware,
 * for these reasons; there is always one.
 */
export type StartWay =
  | { readonly way: 'soft-reboot' }
  | { readonly way: 'reboot'; readonly reasons: readonly string[] };

/**
 * decideStartWay tells whether a version needs another start than one of user space. It does as soon as anything differs that a start by the
 * firmware would change and a soft-reboot keeps: the kernel's image (its modules fit no other), its microcode and device tree, its command
 * line but for the root hash, and what the initrd lays out. The programs in the initrd do not count: none of them runs any more.
 */
export function decideStartWay({ running, next, newer, obstacle }: StartWayFacts): StartWay {
  if (obstacle !== '') return reboot(obstacle);
  if (!running) return reboot('the kernel image that the system was started by cannot be read');
  if (!next) return reboot('its kernel image cannot be read');
  const reasons: string[] = [];
  if (!newer) reasons.push('a step back to an older version is tried by the boot loader, one boot at a time');
  if (next.kernelRelease !== running.kernelRelease)
    reasons.push(`kernel ${running.kernelRelease || 'of no name'} → ${next.kernelRelease || 'of no name'}`);
  else if (next.kernelSha256 !== running.kernelSha256)
    reasons.push(`another build of kernel ${next.kernelRelease}`);
  if (next.microcodeSha256 !== running.microcodeSha256) reasons.push('other microcode');
  if (next.deviceTreeSha256 !== running.deviceTreeSha256) reasons.push('another device tree');
  const [added, removed] = compareArguments(running.commandLine, next.commandLine);
  if (added.length > 0) reasons.push(`kernel arguments added: ${some(added)}`);
  if (removed.length > 0) reasons.push(`kernel arguments removed: ${some(removed)}`);
  if (added.length + removed.length === 0 && !sameArguments(running.commandLine, next.commandLine))
    reasons.push('kernel arguments in another order');
  if (next.startSetup === '' || running.startSetup === '')
    reasons.push('one of the versions does not say what its initrd lays out');
  else if (next.startSetup !== running.startSetup) reasons.push('its initrd lays out the system otherwise');
  return reasons.length === 0 ? { way: 'soft-reboot' } : { way: 'reboot', reasons };
}

function reboot(reason: string): StartWay {
  return { way: 'reboot', reasons: [reason] };
}

/** Every version has a root hash of its own. */
function argumentsOf(commandLine: string): readonly string[] {
  return commandLine.split(/\s+/).filter((argument) => argument !== '' && !argument.startsWith('roothash='));
}

function sameArguments(left: string, right: string): boolean {
  return argumentsOf(left).join(' ') === argumentsOf(right).join(' ');
}

/** What the second has and the first has not, and the reverse. */
function compareArguments(before: string, after: string): readonly [added: string[], removed: string[]] {
  const [old, now] = [argumentsOf(before), argumentsOf(after)];
  return [now.filter((each) => !old.includes(each)), old.filter((each) => !now.includes(each))];
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => name.slice(0, 60));
  return shown.join(' ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
}
