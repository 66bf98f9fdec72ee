import { parseKeyValues } from '../kernel/key-values.ts';
import { SYSTEMCTL } from '../reports/versions.ts';
import type { Sys } from '../sys/sys.ts';

const PROPERTIES = ['Id', 'LoadState', 'ActiveState', 'UnitFileState'];
const UNIT_NAME = /^[A-Za-z0-9:_.@\\-]{1,120}\.(?:service|socket|timer|mount|automount|target|path)$/;

/**
 * unitStates asks systemd for units by name: "active enabled", "inactive masked". A unit that systemd does not find has no
 * entry. @throws Error when systemd does not answer
 */
export async function unitStates(
  sys: Pick<Sys, 'run'>,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const asked = names.filter((name) => UNIT_NAME.test(name));
  if (asked.length === 0) return new Map();
  const args = ['show', '--no-pager', `--property=${PROPERTIES.join(',')}`, '--', ...asked];
  const { exitCode, stdout, stderr } = await sys.run(SYSTEMCTL, args);
  if (exitCode !== 0) throw new Error(`systemctl ended with ${exitCode}: ${stderr.trim().slice(0, 200)}`);
  const states = new Map<string, string>();
  for (const block of stdout.split('\n\n')) {
    const unit = parseKeyValues(block.trim());
    const id = unit.get('Id');
    if (!id || unit.get('LoadState') === 'not-found') continue;
    const file = unit.get('UnitFileState') || unit.get('LoadState') || '';
    states.set(id, `${unit.get('ActiveState') ?? ''} ${file}`.trim());
  }
  return states;
}
