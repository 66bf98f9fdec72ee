export { type KernelMap, kernelMapFor } from './kernel/kernel-map.ts';
export {
  judgeKernelChange,
  type KernelChange,
  type KernelVerdict,
  type ProposedPredicate,
  proposeKernelPredicates,
} from './kernel/kernel-verdict.ts';
