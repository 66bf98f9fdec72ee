export { FakeNode, type FakeWorld, fakeWorld } from './fake-node.ts';
export { type ServedNode, serveFakeNode } from './serve-fake-node.ts';
