import { type CheckSpec, fail, pass, unknown } from '../checks/check.ts';
import { layerOf } from './hot-layer-state.ts';
import type { HotLayers } from './open-hot-layers.ts';

/** hotLayerCheck: no layer was given up, and nothing runs code that the active one replaces. */
export function hotLayerCheck(layers: Pick<HotLayers, 'view'>): CheckSpec {
  return {
    id: 'hot-layer',
    expected: 'no hot layer, or one whose replaced files nothing maps any more',
    source: 'systemd-sysext, /proc/PID/maps by plinth-mapped',
    fix: 'See "plinth get hot-layer"; a reboot ends every process that still runs replaced code.',
    async observe() {
      const { phase, layer, state, busy, note } = await layers.view();
      const { report, failure } = state;
      if (failure) return fail(failure.message);
      if (phase === 'none' || phase === 'dormant' || !layer) return pass(note === '' ? 'none' : note);
      const name = `serial ${layerOf(layer).serial} ${phase}`;
      if (busy || phase !== 'active') return pass(`${name}, at work`);
      if (!report) return unknown(`${name}; which processes run replaced code was not looked at`);
      const count = report.remaining.length;
      if (count > 0) return fail(`${name}; ${count} processes still run replaced code`);
      if (report.hidden > 0) return unknown(`${name}; ${report.hidden} processes could not be looked at`);
      return pass(`${name}; nothing runs replaced code`);
    },
  };
}
