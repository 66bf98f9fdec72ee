import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { HOT_LAYER_MANIFEST } from '@plinth/updates';
import type { Units } from '../kubernetes/units/run-unit.ts';
import { memoryStore } from '../sys/state-store.ts';
import { type FakeMachine, fakeSys } from '../testing/fake-sys.ts';
import { hotLayerCheck } from './hot-layer-check.ts';
import { type HotLayerReport, storedLayer } from './hot-layer-state.ts';
import { openMergedUsr, renderHotChoice } from './merge-hot-layer.ts';
import { layerOfSerial } from './model-node.testing.ts';
import type { HotLayerView } from './open-hot-layers.ts';

const ROOT = '26 1 253:0 / / ro - erofs /dev/mapper/root ro';
const USR = '90 26 0:47 / /usr ro - overlay sysext ro,lowerdir=/a:/usr';
const RESET = '/usr/bin/systemctl reset-failed systemd-sysext.service';
const { signal } = new AbortController();

function open(machine: FakeMachine, held = 0, isDrive = true) {
  const ran: string[] = [];
  let busy = held;
  const units: Units = {
    state: async () => ({
      load: '',
      active: '',
      result: '',
      invocation: '',
      conditionsMet: true,
      busy: false,
    }),
    run: async (verb, unit) => {
      ran.push(`${verb} ${unit}`);
      if (busy > 0)
        throw new PlinthError(
          'kubernetes/unit-failed',
          'metadata for image kubernetes: Device or resource busy',
        );
    },
  };
  const freeDrive = async () => {
    ran.push('free');
    busy = 0;
    return isDrive;
  };
  return {
    ran,
    usr: openMergedUsr({ sys: fakeSys(machine), store: memoryStore('a test'), units, freeDrive, pauseMs: 0 }),
  };
}

suite('what lies over /usr', () => {
  test('one link is chosen until the reboot, another for every boot, and what is not chosen goes', () => {
    assert.match(
      renderHotChoice({ trial: '/v/2.raw', kept: '/v/1.raw' }),
      /^L\+ \/run\/extensions\/hot-layer\.raw - - - - \/v\/2\.raw\nL\+ \/var\/lib\/extensions\/hot-layer\.raw - - - - \/v\/1\.raw$/m,
    );
    assert.match(renderHotChoice({ kept: '/v/1.raw' }), /^r \/run\/extensions\/hot-layer\.raw$/m);
    assert.match(
      renderHotChoice({}),
      /^r \/run\/extensions\/hot-layer\.raw\nr \/var\/lib\/extensions\/hot-layer\.raw$/m,
    );
  });

  test('the device of /usr is that of the root without an overlay, and its own with one', async () => {
    const devices = (text: string) => open({ files: { '/proc/1/mountinfo': text } }).usr.devices();
    assert.deepEqual(await devices(ROOT), { usr: '253:0', root: '253:0' });
    assert.deepEqual(await devices(`${ROOT}\n${USR}`), { usr: '0:47', root: '253:0' });
    await assert.rejects(devices(''));
  });

  test('a merge restarts systemd-sysext where something is chosen or merged, and takes a failure away where nothing is', async () => {
    const none = open({ files: { '/proc/1/mountinfo': ROOT }, programs: { [RESET]: '' } });
    assert.equal(await none.usr.merge(signal), undefined);
    assert.deepEqual(none.ran, []);
    for (const files of [
      { '/proc/1/mountinfo': `${ROOT}\n${USR}` },
      { '/proc/1/mountinfo': ROOT, '/var/lib/extensions/kubernetes': '' },
      { '/proc/1/mountinfo': ROOT, '/run/extensions/hot-layer.raw': '' },
    ]) {
      const some = open({ files });
      await some.usr.merge(signal);
      assert.deepEqual(some.ran, ['restart systemd-sysext.service']);
    }
  });

  test('a drive that is held while its layer is merged is freed, and the merge tried again; a file is not', async () => {
    const restart = 'restart systemd-sysext.service';
    const files = { '/proc/1/mountinfo': `${ROOT}\n${USR}` };
    const drive = open({ files }, 1);
    assert.equal(await drive.usr.merge(signal), undefined);
    assert.deepEqual(drive.ran, [restart, restart, restart, 'free', restart]);
    const file = open({ files }, 1, false);
    assert.match((await file.usr.merge(signal))?.message ?? '', /busy/);
  });

  test('a merged layer says what it is; one that says nonsense is no answer', async () => {
    assert.equal(await open({}).usr.layer(), undefined);
    await assert.rejects(open({ files: { [HOT_LAYER_MANIFEST]: '{}' } }).usr.layer());
  });
});

suite('the health of a node with a hot layer', () => {
  const EMPTY = { format: 1, highest: [] } as const;
  const layer = storedLayer(layerOfSerial(1), 'a'.repeat(64), 1);
  const REPORT = { endedAtMs: 0, restarted: [], failed: [], remaining: [], seen: 80, hidden: 0 };
  const verdictOf = async (view: Partial<HotLayerView>) => {
    const whole: HotLayerView = {
      phase: 'none',
      state: { ...EMPTY, highest: [] },
      busy: false,
      note: '',
      ...view,
    };
    return (await hotLayerCheck({ view: async () => whole }).observe(fakeSys({}))).verdict;
  };
  const active = (report?: HotLayerReport) =>
    verdictOf({ phase: 'active', layer, state: { ...EMPTY, highest: [], ...(report && { report }) } });

  test('no layer passes, and one that was given up fails', async () => {
    assert.equal(await verdictOf({}), 'pass');
    const failure = { code: 'hot-layer/refused', message: 'x', serial: 1, atMs: 0 };
    assert.equal(await verdictOf({ state: { ...EMPTY, highest: [], failure } }), 'fail');
  });

  test('passes only when it was seen that nothing runs replaced code', async () => {
    assert.equal(await active(REPORT), 'pass');
    assert.equal(await active(), 'unknown');
    assert.equal(await active({ ...REPORT, hidden: 1 }), 'unknown');
    const one = { pid: 7, process: 'p', unit: '', podUid: 'x', paths: [], reason: 'why' };
    assert.equal(await active({ ...REPORT, remaining: [one] }), 'fail');
  });
});
