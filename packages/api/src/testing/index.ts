export { FakeLogs } from './fake-logs.ts';
export { FakeMachine } from './fake-machine.ts';
export { FakeNode, type FakeWorld, fakeWorld } from './fake-node.ts';
export { FakeUpdate } from './fake-update.ts';
export { type ServedNode, serveFakeNode } from './serve-fake-node.ts';
