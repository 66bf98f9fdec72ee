import type { Adapter } from './adapter.ts';
import { debianTracker } from './debian-tracker.ts';
import { epss } from './epss.ts';
import { kernelCna } from './kernel-cna.ts';
import { kev } from './kev.ts';
import { nvd } from './nvd.ts';
import { osvDebian, osvGo, osvNpm } from './osv.ts';
import { vendorStatements } from './vendor-statements.ts';

export type { Adapter } from './adapter.ts';

/** Every feed that comes in as a document. */
export const adapters: readonly Adapter[] = [
  debianTracker,
  osvDebian,
  osvGo,
  osvNpm,
  nvd,
  kev,
  epss,
  kernelCna,
  vendorStatements,
];
