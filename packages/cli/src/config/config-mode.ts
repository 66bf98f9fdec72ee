import { ConfigMode } from '@plinth/api';

const MODES = { auto: ConfigMode.AUTO, staged: ConfigMode.STAGED, try: ConfigMode.TRY } as const;

/** modeOf is a mode in the words of the contract; unspecified leaves the choice to the node. */
export function modeOf(mode: keyof typeof MODES | undefined): ConfigMode {
  return mode === undefined ? ConfigMode.UNSPECIFIED : MODES[mode];
}

/** modeWord is the opposite of modeOf. */
export function modeWord(mode: ConfigMode): string {
  const found = Object.entries(MODES).find(([, value]) => value === mode);
  return found?.[0] ?? 'provisioned';
}
