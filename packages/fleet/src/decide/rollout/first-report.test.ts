import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FleetView } from '../../view/view.ts';
import { decideNode } from '../node/index.ts';
import { sampleView } from '../node/sample-view.testing.ts';

// What a new node said first is known to the operator that heard it; it is written with the permit to stage, or by itself after a minute.

const BORN_MS = Date.UTC(2026, 10, 22);

function newborn(nowMs: number): FleetView {
  const view = sampleView({});
  const nodeUpdates = new Map(
    [...view.nodeUpdates].map(
      ([
        name,
        {
          status: _none,
          spec: { target: _target, ...spec },
          ...each
        },
      ]) => [name, { ...each, createdAtMs: BORN_MS, spec, status: undefined }],
    ),
  );
  const [[name, update] = assert.fail('there is no NodeUpdate')] = view.nodeUpdates;
  const report = update.status?.node ?? assert.fail('it was not heard');
  const heard = { nodeUid: update.spec.nodeUid, release: undefined, after: undefined, report };
  return { ...view, nowMs, nodeUpdates, heard: new Map([[name, heard]]) };
}

test('the first report of a node waits a minute for a permit that takes it along', () => {
  const early = decideNode(newborn(BORN_MS + 59_999), 'n1');
  assert.deepEqual([early.writes, early.calls, early.lookAgainAtMs], [[], [], BORN_MS + 60_000]);
  const [write] = decideNode(newborn(BORN_MS + 60_000), 'n1').writes;
  assert.ok(write?.do === 'node-update' && write.status?.node);
});
