export { codeOf } from './code-of.ts';
export { atRest, eventually } from './eventually.ts';
export { scratchFolder } from './scratch.ts';
