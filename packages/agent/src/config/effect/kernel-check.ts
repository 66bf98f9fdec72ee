import { type MachineConfig, sysctlLines } from '@plinth/config';
import { type CheckSpec, fail, pass, unknown } from '../../checks/check.ts';
import { readText, type Sys } from '../../sys/sys.ts';

/**
 * kernelCheck tells whether the kernel has the settings and modules that the config gives it. systemd-sysctl says
 * nothing of a setting that the kernel does not know, and pods with the right to may change one.
 */
export function kernelCheck(config: () => MachineConfig): CheckSpec {
  return {
    id: 'kernel-config',
    expected: 'the settings and modules of the machine config',
    source: '/proc/sys, /proc/modules',
    cause: 'a service refused them, or something on the node has changed them since.',
    fix: 'Read the journal of systemd-sysctl.service and systemd-modules-load.service.',
    observe: (sys) => observe(sys, config()),
  };
}

async function observe(sys: Sys, { sysctls, kernelModules }: MachineConfig) {
  const wanted = sysctlLines(sysctls);
  const modules = (kernelModules?.load ?? []).map(({ name }) => name);
  if (wanted.length + modules.length === 0) return pass('none are given');
  const wrong: string[] = [];
  for (const [key, value] of wanted) {
    const seen = await readText(sys, `/proc/sys/${key.replaceAll('.', '/')}`);
    // Several numbers stand apart by tabs there.
    if (seen?.trim().split(/\s+/).join(' ') !== value)
      wrong.push(`${key} is ${seen ?? 'not known'}, not ${value}`);
  }
  if (modules.length > 0) {
    const text = await readText(sys, '/proc/modules');
    if (text === undefined) return unknown('/proc/modules is not there');
    const loaded = new Set(text.split('\n').map((line) => line.split(' ')[0]));
    wrong.push(...modules.filter((name) => !loaded.has(name)).map((name) => `${name} is not loaded`));
  }
  return wrong.length === 0 ? pass('all are in effect') : fail(wrong.join('; '));
}
