import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '@plinth/host/testing';
import { memoryStore, type StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import { type FakeMachine, fakeSys } from '../testing/fake-sys.ts';
import { soundNode } from '../testing/sound-node.ts';
import { openVarKeys } from './open-var-keys.ts';
import { PRINTED_KEY } from './recovery-key.ts';
import { enrolCommand, forgetCommand } from './reseal-command.ts';

const KEY = Array(8).fill('cbdefghi').join('-');
const line = ([program, args]: ReturnType<typeof enrolCommand>) => [program, ...args].join(' ');
const ENROL = line(enrolCommand('/dev/vda8'));
const FORGET = line(forgetCommand('/dev/vda8'));

const VOLUME = '4f1c9b52-6f0e-4d2c-9c58-0f3c3f9f4d11';

function header(slot: string | undefined = '0'): Buffer {
  const bytes = Buffer.alloc(16 * 1024);
  bytes.write('LUKS\xba\xbe\0\x02', 'latin1');
  bytes.writeBigUInt64BE(BigInt(bytes.length), 8);
  bytes.write(VOLUME, 168, 'latin1');
  const token = { type: 'systemd-tpm2', keyslots: [slot], 'tpm2-pcrs': [], tpm2_pubkey_pcrs: [11] };
  bytes.write(JSON.stringify({ keyslots: { [slot]: { type: 'luks2' } }, tokens: { 0: token } }), 4096);
  return bytes;
}

async function open(
  changes: Partial<FakeMachine> = {},
  disk: Buffer = header(),
  given?: Sys,
  store: StateStore = { ...memoryStore(''), volatileBecause: undefined },
) {
  const node = soundNode();
  const written: string[] = [];
  const keys = await openVarKeys({
    sys:
      given ??
      fakeSys({ ...node, ...changes, files: { ...node.files, '/dev/vda8': disk, ...changes.files } }),
    store,
    files: {
      discardPrinted: async () => {},
      writeUnlock: async (key) => void written.push(`wrote ${key}`),
      removeUnlock: async () => void written.push('removed'),
    },
  });
  return { keys, written };
}

test('the keys of /var are read from its header, and whether it is open from the kernel', async () => {
  const { keys } = await open();
  assert.deepEqual(await keys.view(), {
    slots: [{ slot: 0, kind: 'tpm2', signedPcrs: [11], literalPcrs: [] }],
    volumeId: VOLUME,
    open: true,
    recovery: { state: 'none' },
  });
});

test('a plain /var has no keys to give, to renew or to seal', async () => {
  const { keys, written } = await open({}, Buffer.alloc(16 * 1024));
  assert.equal((await keys.view()).slots, undefined);
  for (const call of [keys.takeRecoveryKey('ann'), keys.renewRecoveryKey(), keys.reseal(KEY)])
    assert.equal(await codeOf(call), 'var-key/not-encrypted');
  assert.deepEqual(written, []);
});

test('to seal anew the key lies in a file for the time it is used, whatever comes of it', async () => {
  const answers = [
    [{ exitCode: 1, stdout: '', stderr: 'Failed to open: Operation not permitted\n' }, 'var-key/bad-key'],
    [{ exitCode: 1, stdout: '', stderr: 'Failed to allocate TPM2 context\n' }, 'var-key/reseal-failed'],
  ] as const;
  for (const [answer, code] of answers) {
    const { keys, written } = await open({ programs: { ...soundNode().programs, [ENROL]: answer } });
    assert.equal(await codeOf(keys.reseal(KEY)), code);
    assert.deepEqual(written, [`wrote ${KEY}`, 'removed']);
  }
  assert.ok(!ENROL.includes(KEY), 'a key in arguments is seen by every process');
});

test('a kept key is brought into the cluster once in six hours, by the name of its volume; a failure is tried again', async () => {
  let nowMs = Date.UTC(2026, 10, 23);
  const node = soundNode();
  const files = { ...node.files, '/dev/vda8': header(), [PRINTED_KEY]: KEY };
  const { keys } = await open({}, header(), { ...fakeSys({ ...node, files }), nowMs: () => nowMs });
  const brought: string[] = [];
  const bring = async (volume: string, key: string) => {
    brought.push(`${volume} ${key}`);
    return 'kube-system/plinth-var-key-n1';
  };
  const refused = async (): Promise<string> => {
    throw new Error('no API server');
  };
  await assert.rejects(keys.escrow(refused), /no API server/);
  assert.deepEqual((await keys.view()).recovery, { state: 'kept', escrow: undefined });
  await keys.escrow(bring);
  await keys.escrow(bring);
  assert.deepEqual(brought, [`${VOLUME} ${KEY}`]);
  const escrow = { place: 'kube-system/plinth-var-key-n1', volumeId: VOLUME, atMs: nowMs };
  assert.deepEqual((await keys.view()).recovery, { state: 'kept', escrow });
  for (const stepMs of [6 * 3_600_000, -3_600_000]) {
    nowMs += stepMs;
    await keys.escrow(bring);
  }
  assert.equal(brought.length, 3);
  // Whoever takes it takes nothing from the cluster, and the node has no more to bring.
  await keys.takeRecoveryKey('ann');
  nowMs += 24 * 3_600_000;
  await keys.escrow(bring);
  assert.equal(brought.length, 3);
  assert.partialDeepStrictEqual((await keys.view()).recovery, {
    state: 'taken',
    escrow: { volumeId: VOLUME },
  });
});

test('a node without a key, or whose /var is plain, brings nothing', async () => {
  for (const disk of [header(), Buffer.alloc(16 * 1024)]) {
    const { keys } = await open({}, disk);
    await keys.escrow(async () => assert.fail('brought'));
  }
});

/** systemd-cryptenroll on a disk: enrolling makes a slot of that number, or none where it finds the policy; forgetting takes all. */
function enrolling(findsPolicy: boolean) {
  const node = soundNode();
  const ran: string[] = [];
  let slot: string | undefined = '0';
  const machine = fakeSys(node);
  const sys: Sys = {
    ...machine,
    readRange: async (path, offset, length) =>
      path === '/dev/vda8'
        ? header(slot).subarray(offset, offset + length)
        : machine.readRange(path, offset, length),
    run: async (program, args, options) => {
      const command = [program, ...args].join(' ');
      if (command === ENROL) {
        ran.push('enrol');
        if (!findsPolicy || slot === undefined) slot = '1';
      } else if (command === FORGET) {
        ran.push('forget');
        slot = undefined;
      } else return machine.run(program, args, options);
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  };
  return { sys, ran };
}

test('a slot of another TPM goes first where its policy is the same, for no slot is made beside it', async () => {
  for (const [findsPolicy, steps] of [
    [true, ['enrol', 'forget', 'enrol']],
    [false, ['enrol']],
  ] as const) {
    const { sys, ran } = enrolling(findsPolicy);
    const { keys } = await open({}, header(), sys);
    assert.deepEqual(
      (await keys.reseal(KEY)).map(({ slot }) => slot),
      [1],
    );
    assert.deepEqual(ran, steps);
  }
});

test('what has not the form of a key is not tried', async () => {
  const { keys, written } = await open();
  assert.equal(await codeOf(keys.reseal('no key')), 'var-key/bad-key');
  assert.deepEqual(written, []);
});
