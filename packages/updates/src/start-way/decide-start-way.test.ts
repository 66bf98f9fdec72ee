import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type BootedBy, decideStartWay, type StartWayFacts } from './decide-start-way.ts';

const same: BootedBy = {
  kernelSha256: 'a'.repeat(64),
  kernelRelease: '6.12.107+deb13-cloud-amd64',
  microcodeSha256: '',
  deviceTreeSha256: '',
  commandLine: 'root=/dev/mapper/root ro quiet roothash=11',
  startSetup: '0123456789abcdef',
};
const facts: StartWayFacts = {
  running: { ...same, version: '1.0.0' },
  next: { ...same, version: '1.1.0', commandLine: same.commandLine.replace('=11', '=22') },
  newer: true,
  obstacle: '',
};
const next = (change: Partial<BootedBy>): StartWayFacts => ({
  ...facts,
  next: { ...same, version: '1.1.0', ...change },
});
const reasons = (given: StartWayFacts) => {
  const decided = decideStartWay(given);
  return decided.way === 'reboot' ? decided.reasons : [];
};

suite('decideStartWay', () => {
  test('the same kernel, arguments and set-up go by soft-reboot; the root hash is another in each version', () => {
    assert.deepEqual(decideStartWay(facts), { way: 'soft-reboot' });
  });

  test('another kernel is named with both its releases', () => {
    const release = '6.12.110+deb13-cloud-amd64';
    assert.deepEqual(reasons(next({ kernelRelease: release, kernelSha256: 'b'.repeat(64) })), [
      'kernel 6.12.107+deb13-cloud-amd64 → 6.12.110+deb13-cloud-amd64',
    ]);
  });

  test('another build under the same name is another kernel', () => {
    assert.match(reasons(next({ kernelSha256: 'b'.repeat(64) })).join(), /another build of kernel 6\.12/);
  });

  test('arguments: added, removed, and in another order', () => {
    const commandLine = 'root=/dev/mapper/root ro debug roothash=22';
    assert.deepEqual(reasons(next({ commandLine })), [
      'kernel arguments added: debug',
      'kernel arguments removed: quiet',
    ]);
    assert.deepEqual(reasons(next({ commandLine: 'ro root=/dev/mapper/root quiet' })), [
      'kernel arguments in another order',
    ]);
  });

  test('what an initrd lays out has to be told by both versions', () => {
    assert.match(reasons(next({ startSetup: 'other' })).join(), /lays out the system otherwise/);
    assert.match(reasons(next({ startSetup: '' })).join(), /does not say/);
  });

  test('microcode and device tree count', () => {
    assert.deepEqual(reasons(next({ microcodeSha256: 'c', deviceTreeSha256: 'd' })), [
      'other microcode',
      'another device tree',
    ]);
  });

  test('what could not be read, an obstacle and a step back need a full reboot', () => {
    assert.match(reasons({ ...facts, running: undefined }).join(), /cannot be read/);
    assert.match(reasons({ ...facts, next: undefined }).join(), /cannot be read/);
    assert.deepEqual(reasons({ ...facts, obstacle: 'no such thing' }), ['no such thing']);
    assert.match(reasons({ ...facts, newer: false }).join(), /older version/);
  });

  test('property: any difference but the root hash needs a full reboot, and says why in a line of bounded length', () => {
    const text = fc.string({ maxLength: 200 });
    const image = fc.record({
      kernelSha256: text,
      kernelRelease: text,
      microcodeSha256: text,
      deviceTreeSha256: text,
      commandLine: text,
      startSetup: text,
    });
    fc.assert(
      fc.property(image, image, (running, after) => {
        const decided = decideStartWay({
          ...{ running: { ...running, version: '1' }, next: { ...after, version: '2' } },
          ...{ newer: true, obstacle: '' },
        });
        const words = (line: string) => line.split(/\s+/).filter((word) => !/^(roothash=|$)/.test(word));
        const equal =
          JSON.stringify({ ...running, commandLine: words(running.commandLine) }) ===
            JSON.stringify({ ...after, commandLine: words(after.commandLine) }) && after.startSetup !== '';
        assert.equal(decided.way, equal ? 'soft-reboot' : 'reboot');
        if (decided.way === 'reboot')
          assert.ok(decided.reasons.every(({ length }) => length > 0 && length < 500));
      }),
    );
  });
});
