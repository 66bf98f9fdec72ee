import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUNTIME_FLAGS } from '@plinth/agent/testing';
import { openPolicyLab } from '../testkit/policy-lab.ts';

// Where plinthd may write is said twice: to its runtime (packages/agent/src/build/runtime-flags.ts) and to SELinux. What the
// runtime lets it and SELinux does not fails on a node only, at the moment when it is needed.

const WRITE = '--allow-fs-write=';
/** Devices, the kernel's own file systems and the ESP have no files that plinthd makes; and a probe that has to fail. */
const OTHER = /^\/(?:dev|proc|sys|efi)\/|\.plinth-write-probe$/;

test('SELinux lets plinthd make files at every place where its runtime lets it', async () => {
  await using lab = await openPolicyLab();
  const policy = await lab.compile('policy', []);
  const flags = RUNTIME_FLAGS.filter((flag) => flag.startsWith(WRITE)).map((flag) =>
    flag.slice(WRITE.length),
  );
  const places = flags
    .filter((path) => !flags.includes(`${path}/*`) && !OTHER.test(path))
    .map((path) => path.replace(/\*$/, 'a'));
  assert.ok(places.length > 10);
  const types = new Map<string, string>();
  for (const path of places) {
    const type = await lab.typeOf(policy, path, 'file');
    assert.ok(type !== undefined, path);
    types.set(type, path);
  }
  // The compiler ends at the first rule that is broken, so each is asked for by itself.
  for (const [type, path] of types)
    await assert.rejects(
      lab.compile(type, [`(neverallow plinthd_t ${type} (file (create)))`]),
      lab.isBroken,
      `${path} (${type})`,
    );
});
