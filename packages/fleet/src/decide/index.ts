export * from './decision.ts';
export { decideNode } from './node/index.ts';
export { decidePolicy } from './policy.ts';
