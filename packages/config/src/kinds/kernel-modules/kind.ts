import { z } from 'zod';
import { type DeepReadonly, defineKind, type Effect, type RenderedFile } from '../../framework/kind.ts';
import { keyed } from '../../framework/notes.ts';
import { allowedModules } from './allowed.ts';

/** systemd-modules-load reads every file; the one of the image has another name. */
export const MODULES_PATH = '/run/modules-load.d/60-plinth-config.conf';

const name = z
  .enum(
    allowedModules.map(([module]) => module),
    'expected a module of the list of those that may be loaded',
  )
  .describe('Name of the module as /proc/modules shows it.');

const schema = z.strictObject({
  load: keyed(z.strictObject({ name }), 'name', allowedModules.length)
    .default([])
    .describe('Modules that are loaded at each boot, with those they need.'),
});

/** Modules of the kernel, from the list of those that may be loaded. */
export type KernelModules = DeepReadonly<z.infer<typeof schema>>;

const LOAD: Effect = { kind: 'restart', unit: 'systemd-modules-load.service' };
const UNLOAD: Effect = { kind: 'reboot', why: 'a module that is loaded stays until the kernel starts anew' };

export const kernelModulesKind = defineKind({
  kind: 'KernelModules',
  property: 'kernelModules',
  count: 'at-most-one',
  summary: 'Modules of the kernel that are loaded at boot.',
  notes: [
    'The kernel takes only modules that are signed and in the image. Many of them it also loads by itself when they are first asked for; loaded at boot they are there for pods that may not ask. A module is taken out of the kernel by a reboot only, and the plan says so.',
    'These may be loaded:',
    allowedModules.map(([module, why]) => `- \`${module}\`: ${why}`).join('\n'),
  ],
  schema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: KernelModules
load:
  - name: nvme_tcp
  - name: wireguard
`,
  render: renderModules,
  effects: { '': (_, to) => (to === undefined ? UNLOAD : LOAD) },
  reach: [],
});

function renderModules(modules: KernelModules | undefined): readonly RenderedFile[] {
  const names = (modules?.load ?? []).map((each) => each.name).toSorted();
  if (names.length === 0) return [];
  return [{ path: MODULES_PATH, mode: 0o644, text: `${names.join('\n')}\n`, secret: false }];
}
