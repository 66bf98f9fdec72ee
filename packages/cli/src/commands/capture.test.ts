import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { type CapturePacketsRequest, CaptureService } from '@plinth/api';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

/** What plinth-capture wrote of one datagram on the loopback: "port 53", one packet at most. */
const RECORDED = Buffer.from(
  [
    'Cg0NCjQAAABNPCsaAQAAAP//////////BAAOAHBsaW50aC1jYXB0dXJlAAAAAAAANAAAAAEAAAA0AAAAAQAAAAAABAACAAIA',
    'bG8AAAkAAQAJAAAACwAIAABwb3J0IDUzAAAAADQAAAAGAAAAXAAAAAAAAAD7TOoYa8IgLy4AAAAuAAAAAAAAAAAAAAAAAAAA',
    'CABFAAAg32ZAAEARXWR/AAABfwAAAdUXADUADP4fbmFtZQAAAgAEAAEAAAAAAAAAXAAAAAUAAABgAAAAAAAAAPtM6hhVCZUv',
    'AQAOAGVuZGVkOiBwYWNrZXRzAAACAAgA+kzqGKOa6foDAAgA+0zqGFUJlS8EAAgAAQAAAAAAAAAFAAgAAAAAAAAAAAAAAAAA',
    'YAAAAA==',
  ].join(''),
  'base64',
);

suite('plinth capture', () => {
  let fleet: FakeFleet;
  let asked: CapturePacketsRequest[] = [];
  let pieces: readonly { readonly chunk?: Uint8Array; readonly last?: boolean }[] = [];

  before(async () => {
    fleet = await fakeFleet({
      name: 'n1',
      more: [
        (router) =>
          router.service(CaptureService, {
            async *capturePackets(request) {
              asked.push(request);
              if (request.interface === 'none') throw new ConnectError('no', Code.NotFound);
              yield* pieces;
            },
          }),
      ],
    });
  });
  beforeEach(() => {
    asked = [];
    pieces = [{ chunk: RECORDED.subarray(0, 50) }, { chunk: RECORDED.subarray(50) }, { last: true }];
  });
  after(async () => {
    await fleet[Symbol.asyncDispose]();
  });

  test('packets go into a new file, and what is in it is told', async () => {
    const target = join(fleet.folder, 'a.pcapng');
    const { exitCode, stdout, stderr } = await fleet.plinth(
      ...['capture', 'lo', '--for', '2m', '--max-size', '1MiB', '--packets', '1', '--snap-length', '128B'],
      ...['--filter', 'port 53', '--reason', 'slow names', '-w', target],
    );
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(await readFile(target), RECORDED);
    assert.match(stdout, /Packets\s+1\n/);
    assert.match(stdout, /Dropped\s+none\n/);
    assert.match(stdout, /Ended\s+as many packets as were asked for\n/);
    assert.partialDeepStrictEqual(asked, [
      {
        ...{ interface: 'lo', filter: 'port 53', reason: 'slow names', durationSeconds: 120 },
        ...{ maxSizeBytes: 1_048_576n, maxPackets: 1, snapLengthBytes: 128 },
      },
    ]);
    const again = await fleet.plinth('capture', '--reason', 'x', '-w', target);
    assert.equal(again.exitCode, 2);
    assert.equal(asked.length, 1);
  });

  test('to a pipe they go as they come, and the account goes to standard error', async () => {
    const { exitCode, stdout, stderr } = await fleet.plinth('capture', '--reason', 'x', '-w', '-');
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, RECORDED.toString());
    assert.match(stderr, /Packets: 1\n/);
    assert.partialDeepStrictEqual(asked, [{ interface: '', filter: '', durationSeconds: 30 }]);
  });

  test('-o json prints what is in the file', async () => {
    const target = join(fleet.folder, 'json.pcapng');
    const { stdout } = await fleet.plinth('capture', '--reason', 'x', '-w', target, '-o', 'json');
    assert.deepEqual(JSON.parse(stdout), {
      ...{ path: target, sizeBytes: RECORDED.length, packets: 1, dropped: 0, comment: 'ended: packets' },
      interfaces: [{ name: 'lo', linkType: 1 }],
    });
  });

  test('what is cut or damaged leaves no file', async () => {
    const target = join(fleet.folder, 'b.pcapng');
    for (const wrong of [
      [{ chunk: RECORDED }],
      [{ chunk: RECORDED.subarray(0, 60) }, { last: true }],
      [{ chunk: Buffer.alloc(100, 7) }, { last: true }],
    ]) {
      pieces = wrong;
      const { exitCode } = await fleet.plinth('capture', '--reason', 'x', '-w', target);
      assert.notEqual(exitCode, 0);
    }
    const { exitCode } = await fleet.plinth('capture', 'none', '--reason', 'x', '-w', target);
    assert.notEqual(exitCode, 0);
    assert.ok(!(await readdir(fleet.folder)).some((name) => name.startsWith('b.pcapng')));
  });

  test('without a reason, and beyond a limit, nothing is asked', async () => {
    for (const wrong of [
      [],
      ['--reason', ' '],
      ['--reason', 'x', '--for', '11m'],
      ['--reason', 'x', '--max-size', '257MiB'],
      ['--reason', 'x', '--max-size', '10'],
      ['--reason', 'x', '--packets', '0'],
    ])
      assert.equal((await fleet.plinth('capture', ...wrong)).exitCode, 2, wrong.join(' '));
    assert.deepEqual(asked, []);
  });
});
