import { type Finding, fail, passIf, unknown } from '../checks/check.ts';
import { parseKeyValues } from '../kernel/key-values.ts';
import { SYSTEMCTL } from '../reports/versions.ts';
import type { ProgramResult, Sys } from '../sys/sys.ts';
import type { HealthRule, MemberView, NodeView } from './rule.ts';

const PROPERTIES = 'LoadState,ActiveState,SubState';
const CRI_SOCKET = '/run/containerd/containerd.sock';

export const unitRules: readonly HealthRule<NodeView>[] = [
  {
    id: 'units',
    expected: 'no failed unit',
    source: 'systemctl list-units --state=failed',
    cause: 'A service of the node ended with an error and was not started again.',
    fix: 'Read the journal of the units named here.',
    observe: async ({ sys }) => {
      const args = ['list-units', '--state=failed', '--plain', '--no-legend', '--no-pager', '--full'];
      const { exitCode, stdout, stderr } = await sys.run(SYSTEMCTL, args);
      return exitCode === 0 ? judgeFailedUnits(stdout) : silent(exitCode, stderr);
    },
  },
  {
    id: 'containerd',
    expected: 'active',
    source: 'systemctl show containerd.service',
    cause: 'The container runtime ended or cannot start; no pod can start or stop without it.',
    fix: 'Read the journal of containerd.service.',
    critical: true,
    observe: ({ sys }) => unitState(sys, 'containerd.service'),
  },
  {
    id: 'runtime-socket',
    expected: 'containerd accepts connections',
    source: CRI_SOCKET,
    cause: 'containerd runs and does not answer: it still starts, or hangs on a slow disk.',
    fix: 'Restart containerd.service; look at the disk when it does not help.',
    observe: async ({ probe }) => judgeConnection(await probe.connect({ path: CRI_SOCKET })),
  },
];

export const memberUnitRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'kubelet',
    expected: 'active',
    source: 'systemctl show kubelet.service',
    cause:
      'The kubelet ended: its configuration, its certificate or the container runtime is not as it needs it.',
    fix: 'Read the journal of kubelet.service.',
    critical: true,
    observe: ({ sys }) => unitState(sys, 'kubelet.service'),
  },
  {
    id: 'images',
    expected: "the layer's images are in the container runtime",
    source: 'systemctl show plinth-images.service',
    cause:
      'The archives of the Kubernetes layer could not be brought into containerd: no room on /var, or containerd was not up.',
    fix: 'Make room on /var and restart plinth-images.service.',
    observe: async ({ sys }) => {
      const { exitCode, stdout, stderr } = await show(
        sys,
        `${PROPERTIES},Result,InvocationID`,
        'plinth-images.service',
      );
      return exitCode === 0 ? judgeOneshot(stdout) : silent(exitCode, stderr);
    },
  },
];

/** judgeFailedUnits reads a list of systemctl without legend: the unit's name comes first. */
export function judgeFailedUnits(list: string): Finding {
  const failed = list.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []);
  return passIf(failed.length === 0, failed.length === 0 ? 'none failed' : failed.join(', '));
}

/** judgeUnit reads LoadState, ActiveState and SubState of one unit. */
export function judgeUnit(properties: string): Finding {
  const unit = parseKeyValues(properties);
  const state = unit.get('ActiveState');
  if (state === undefined) return unknown('systemctl gives no state');
  if (unit.get('LoadState') === 'not-found') return fail('the unit does not exist');
  return passIf(state === 'active', `${state} (${unit.get('SubState') ?? ''})`);
}

/** judgeOneshot reads the same, Result and InvocationID of a unit that ends when its work is done. */
export function judgeOneshot(properties: string): Finding {
  const unit = parseKeyValues(properties);
  const state = unit.get('ActiveState');
  if (state === undefined) return unknown('systemctl gives no state');
  if (unit.get('LoadState') === 'not-found') return fail('the unit does not exist');
  // It is started again with each start of the kubelet, when there is little to do.
  if (state === 'activating') return unknown('it is at work');
  if (state !== 'active' && !unit.get('InvocationID'))
    return fail('it has not run since the machine started');
  const result = unit.get('Result') ?? '';
  return passIf(result === 'success', result === 'success' ? 'done' : `${state} (${result})`);
}

/** judgeConnection: "" is a connection, else the code says why there was none. */
export function judgeConnection(code: string): Finding {
  return code === '' ? passIf(true, 'accepts connections') : fail(code);
}

async function unitState(sys: Sys, unit: string): Promise<Finding> {
  const { exitCode, stdout, stderr } = await show(sys, PROPERTIES, unit);
  return exitCode === 0 ? judgeUnit(stdout) : silent(exitCode, stderr);
}

function show(sys: Sys, properties: string, unit: string): Promise<ProgramResult> {
  return sys.run(SYSTEMCTL, ['show', '--no-pager', `--property=${properties}`, unit]);
}

function silent(exitCode: number, stderr: string): Finding {
  return unknown(`systemctl ended with ${exitCode}: ${stderr.trim()}`);
}
