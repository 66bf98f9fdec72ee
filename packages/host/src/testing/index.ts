export { eventually } from './eventually.ts';
export { scratchFolder } from './scratch.ts';
