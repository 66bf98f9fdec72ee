import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type InviteNodeRequest, Membership, NodeRole } from '@plinth/api';
import type { Enrolment } from '@plinth/attest';
import { paperTpm } from '@plinth/attest/testing';
import { hex } from '@plinth/formats';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';
import { readEnrolment } from './enrolment-book.ts';
import { attestedNode } from './testing/attested-node.ts';

// A cluster that gives certificates for a proof only, and a client that lets a node join it.

const node = attestedNode();
let fleet: FakeFleet;
let invited: InviteNodeRequest[] = [];

before(async () => {
  fleet = await fakeFleet('cp1', { name: 'w1', more: [node.routes] });
  node.nodeId = fleet.nodes.get('w1')?.nodeId ?? '';
  const control = fleet.nodes.get('cp1');
  assert.ok(control);
  control.membership = Membership.MEMBER;
  control.role = NodeRole.CONTROL_PLANE;
  control.wantsTpm = true;
  invited = control.invitations;
});
after(() => fleet[Symbol.asyncDispose]());

function book(): Promise<Enrolment | undefined> {
  return readEnrolment({ PLINTH_CONFIG_DIR: `${fleet.folder}/config-dir` }, node.nodeId);
}

test('a node whose TPM the cluster wants to know is enrolled by the client, once', async () => {
  await fleet.ok('join', 'cp1', '--context', 'w1');
  assert.deepEqual(
    invited.map(({ tpm }) => tpm && hex(tpm.akPublic)),
    [undefined, hex(node.tpm.akPublic)],
  );
  assert.equal((await book())?.akPublic, hex(node.tpm.akPublic));
  assert.deepEqual(
    invited[1]?.tpm?.firmware.map(({ index }) => index),
    [0, 2, 3],
  );
});

test('a node that shows another TPM later is not taken for the one that is known here', async () => {
  invited.length = 0;
  const own = node.tpm;
  node.tpm = paperTpm();
  const w1 = fleet.nodes.get('w1');
  if (w1) w1.membership = Membership.NONE;
  await fleet.plinth('join', 'cp1', '--context', 'w1');
  assert.equal(hex(invited[1]?.tpm?.akPublic ?? new Uint8Array()), hex(own.akPublic), 'the book counts');
});
