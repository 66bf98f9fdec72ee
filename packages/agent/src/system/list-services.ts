import type { MessageInitShape } from '@bufbuild/protobuf';

import type { ListServicesResponseSchema, ServiceSchema } from '@plinth/api';
import { parseKeyValues } from '../kernel/key-values.ts';
import { uptimeMs } from '../reports/boot-report.ts';
import { SYSTEMCTL } from '../reports/versions.ts';
import type { Sys } from '../sys/sys.ts';
import { openObservation, runLines } from './observing.ts';
import { durationFromUs, stampFromMs } from './times.ts';

const UNITS_MAXIMUM = 5_000;
const PROPERTIES = [
  'Id',
  'Description',
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'Result',
  'ExecMainCode',
  'ExecMainStatus',
  'NRestarts',
  'MainPID',
  'MemoryCurrent',
  'CPUUsageNSec',
  'TasksCurrent',
  'ControlGroup',
  'StateChangeTimestampMonotonic',
];
/** Codes of a child's end by which a signal is told: CLD_KILLED, CLD_DUMPED (siginfo_t, sigaction(2)). */
const BY_SIGNAL = ['2', '3'];

export type ServiceShape = MessageInitShape<typeof ServiceSchema>;

/** listServices asks systemd for the units it has loaded. */
export async function listServices(
  sys: Sys,
  { allKinds }: { readonly allKinds: boolean },
): Promise<MessageInitShape<typeof ListServicesResponseSchema>> {
  const { attempt, notObserved } = openObservation();
  const services: ServiceShape[] = [];
  let total = 0;
  await attempt('units', async () => {
    const startedAtMs = sys.nowMs() - (await uptimeMs(sys));
    const args = ['show', '--no-pager', `--property=${PROPERTIES.join(',')}`, '--'];
    let block: string[] = [];
    const finish = () => {
      const service = parseService(block.join('\n'), startedAtMs);
      block = [];
      if (!service) return;
      total++;
      if (services.length < UNITS_MAXIMUM) services.push(service);
    };
    for await (const lines of runLines(sys, SYSTEMCTL, [...args, allKinds ? '*' : '*.service'])) {
      for (const line of lines) {
        if (line === '') finish();
        else block.push(line);
      }
    }
    finish();
  });
  return { services: services.sort(failedFirst), total, notObserved };
}

/**
 * parseService reads one block of `systemctl show`; undefined without a name.
 * @param startedAtMs when the kernel started, for systemd's own clock
 */
export function parseService(block: string, startedAtMs: number): ServiceShape | undefined {
  const unit = parseKeyValues(block);
  const text = (key: string) => unit.get(key) ?? '';
  const count = (key: string) => (/^\d{1,19}$/.test(text(key)) ? BigInt(text(key)) : undefined);
  const name = text('Id');
  if (name === '') return undefined;
  const since = count('StateChangeTimestampMonotonic');
  const memoryBytes = count('MemoryCurrent');
  const tasks = count('TasksCurrent');
  const cpuNs = count('CPUUsageNSec');
  return {
    ...{ name, description: text('Description'), loadState: text('LoadState') },
    ...{ activeState: text('ActiveState'), subState: text('SubState'), unitFileState: text('UnitFileState') },
    ...{ result: text('Result'), cgroup: text('ControlGroup') },
    ...{ exitStatus: small(text('ExecMainStatus')), bySignal: BY_SIGNAL.includes(text('ExecMainCode')) },
    ...{ restarts: small(text('NRestarts')), mainPid: small(text('MainPID')) },
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(tasks !== undefined && { tasks }),
    ...(cpuNs !== undefined && { cpuTime: durationFromUs(Number(cpuNs) / 1000) }),
    ...(since !== undefined && since > 0n && { since: stampFromMs(startedAtMs + Number(since) / 1000) }),
  };
}

function small(text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 && value < 2 ** 31 ? value : 0;
}

/** What a person looks for comes first. */
function failedFirst(a: ServiceShape, b: ServiceShape): number {
  const failed = (one: ServiceShape) => (one.activeState === 'failed' ? 0 : 1);
  return failed(a) - failed(b) || ((a.name ?? '') < (b.name ?? '') ? -1 : 1);
}
