export const SYSTEMD_RUN = '/usr/bin/systemd-run';

/** What no program that plinthd starts in a unit of its own may do; the rest is each unit's own. */
const FENCE = [
  'NoNewPrivileges=yes',
  'ProtectSystem=strict',
  'ProtectHome=yes',
  'PrivateTmp=yes',
  'RestrictRealtime=yes',
  'LockPersonality=yes',
  'MemoryDenyWriteExecute=yes',
  'SystemCallArchitectures=native',
] as const;

/** A program in a unit of its own. */
export interface TransientUnit {
  /** With ".service". A fixed name: the service manager refuses a second one while it runs. */
  readonly unit: string;
  readonly description: string;
  /** exec: what it prints comes back. oneshot: it is waited for. */
  readonly type?: 'exec' | 'oneshot';
  /** What is fenced off besides, and what is allowed: "CapabilityBoundingSet=…". */
  readonly properties: readonly string[];
  /** The program and its arguments. */
  readonly command: readonly string[];
}

/** transientUnit gives the arguments of systemd-run, which starts the program and waits for its end (systemd-run(1)). Pure. */
export function transientUnit({
  unit,
  description,
  type = 'exec',
  properties,
  command,
}: TransientUnit): readonly string[] {
  return [
    ...['--quiet', ...(type === 'exec' ? ['--pipe'] : []), '--wait', '--collect', '--no-ask-password'],
    ...['--expand-environment=no', `--service-type=${type}`, `--unit=${unit}`],
    `--description=${description}`,
    ...[...FENCE, ...properties].map((property) => `--property=${property}`),
    ...['--', ...command],
  ];
}
