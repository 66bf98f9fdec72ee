import { setTimeout as sleep } from 'node:timers/promises';
import { FakeNode, fakeWorld, serveFakeNode } from '@plinth/api/testing';

/**
 * Serves fake nodes in a process of its own, since they must not share their processor with the client that is measured.
 * Takes how many there are; prints one line of JSON and then serves until its standard input ends.
 */
const count = Number(process.argv[2]);
const world = fakeWorld();
const nodes = Array.from({ length: count }, (_, index) => new FakeNode(`node-${index}`, world));
// Neither the first nor the last: both would be a special case.
const slow = nodes[Math.floor(count / 2)];
if (slow) slow.before = () => sleep(60_000, undefined, { ref: false });
const served = await Promise.all(nodes.map(serveFakeNode));
const [first] = served;
process.stdout.write(
  `${JSON.stringify({
    ports: served.map(({ port }) => port),
    ...{ fingerprint: first?.fingerprint, certificatePem: first?.certificatePem, keyPem: first?.keyPem },
  })}\n`,
);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
