export { type FindingsFormat, renderFindings } from './findings/render-findings.ts';
export { initAdvisoryKey } from './keys/advisory-key.ts';
export { componentPurl } from './record/component-purl.ts';
export { productPurl } from './record/product-id.ts';
export { formatRecord, parseRecord, recordProblem } from './record/read-record.ts';
export { serveAdvisories } from './serve/serve-advisories.ts';
export {
  type PublishAdvisoriesOptions,
  type PublishedAdvisories,
  publishAdvisories,
} from './tree/publish-tree.ts';
export { type TreeCheck, type TreeReport, verifyTree } from './tree/verify-tree.ts';
