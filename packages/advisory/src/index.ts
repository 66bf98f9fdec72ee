export * from './changelog/index.ts';
export * from './model/index.ts';
