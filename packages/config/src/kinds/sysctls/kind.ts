import { defineKind, type Effect } from '../../framework/kind.ts';
import { allowedSysctls } from './allowed.ts';
import { refusedSysctls } from './refused.ts';
import { renderSysctls } from './render.ts';
import { sysctlsSchema } from './schema.ts';

const APPLY: Effect = { kind: 'restart', unit: 'systemd-sysctl.service' };

/** systemd-sysctl sets what stands in files; what stands in none any more the kernel keeps. */
function forgets(keys: readonly string[]): Effect {
  return keys.length === 0
    ? APPLY
    : { kind: 'reboot', why: `the kernel keeps ${keys.join(', ')} until it starts anew` };
}

const withoutImage = allowedSysctls.filter(({ image }) => image === undefined).map(({ key }) => key);

export const sysctlsKind = defineKind({
  kind: 'Sysctls',
  property: 'sysctls',
  count: 'at-most-one',
  summary: 'Settings of the kernel.',
  notes: [
    'They are written to `/run/sysctl.d/60-plinth-config.conf`, which systemd-sysctl reads after the files of the image: what is said here comes last. A setting that is taken out of the config gets the value of the image again; where the image has none, the kernel keeps the value until the node reboots, and the plan says so.',
    'These may not be changed:',
    refusedSysctls.map(({ key, why }) => `- \`${key}\`: ${why}`).join('\n'),
  ],
  schema: sysctlsSchema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: Sysctls
settings:
  vm.max_map_count: 262144
  net.core.rmem_max: 16777216
  net.ipv4.tcp_rmem: [4096, 131072, 16777216]
`,
  render: renderSysctls,
  effects: {
    '': (from, to) => forgets(to === undefined ? withoutImage.filter((key) => holds(from, key)) : []),
    ...Object.fromEntries(
      allowedSysctls.map(({ key, image }) => [
        `settings.${key}`,
        (_: unknown, to: unknown) => forgets(to === undefined && image === undefined ? [key] : []),
      ]),
    ),
  },
  reach: allowedSysctls.filter(({ reach }) => reach).map(({ key }) => `settings.${key}`),
});

function holds(sysctls: unknown, key: string): boolean {
  return (sysctls as { readonly settings: Readonly<Record<string, unknown>> }).settings[key] !== undefined;
}
