import type { NodeSummary } from '../flows/bring-up.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, nextCommands, plainText } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { formatBytes, formatDuration, shortenHash } from '../output/units.ts';

/** showNode is the table `plinth up` ends with. An unhealthy node is shown, and is a failure all the same. */
export function showNode(node: NodeSummary, style: Style): CommandResult {
  const healthy = node.health === 'healthy';
  const bootMs = node.bootPhases.reduce((sum, phase) => sum + phase.durationMs, 0);
  const phases = node.bootPhases.map(({ name, durationMs }) => `${name} ${formatDuration(durationMs)}`);
  return {
    data: node,
    view: [
      ...(node.wasRunning ? [plainText(`Machine "${node.machine}" runs this image already.`)] : []),
      facts([
        ['machine', `${node.machine} (${node.accelerator === 'kvm' ? 'KVM' : 'emulated: no KVM here'})`],
        ['image', `plinth ${node.imageVersion}`],
        ['root hash', shortenHash(node.rootHash)],
        ['packages', String(node.packageCount)],
        ['sizes', `root ${formatBytes(node.rootSizeBytes)}, disk ${formatBytes(node.diskSizeBytes)}`],
        ['boot', formatDuration(bootMs)],
        ...phases.map((phase): [string, string] => ['', phase]),
        ['api', node.endpoint],
        ['health', (healthy ? style.good : style.bad)(node.health)],
      ]),
      ...(node.faults.length > 0 ? [plainText(node.faults.join('\n'))] : []),
      nextCommands([
        ['plinth get integrity', 'is what runs what was built?'],
        ['plinth vm console', 'watch it'],
        ['plinth down', 'stop it'],
      ]),
    ],
    exitCode: healthy ? 0 : 1,
  };
}
