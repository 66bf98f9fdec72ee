export * from './node-update.ts';
export * from './policy.ts';
export * from './release.ts';
export * from './rollout.ts';
export * from './time.ts';
export * from './values.ts';
export * from './window.ts';
