export { FakeLogs } from './fake-logs.ts';
export { FakeMachine } from './fake-machine.ts';
export { FakeNode, type FakeWorld, fakeWorld } from './fake-node.ts';
export { FakeUpdate } from './fake-update.ts';
export { refusal } from './refusal.ts';
export { fakeExportKeys, type ServedNode, serveFakeNode } from './serve-fake-node.ts';
export { type NodeMethods, type ServedNodes, serveManyNodes } from './serve-many-nodes.ts';
