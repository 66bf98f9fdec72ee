export { type FindingsFormat, renderFindings } from './findings/render-findings.ts';
export { componentPurl } from './record/component-purl.ts';
export { productPurl } from './record/product-id.ts';
export { formatRecord, parseRecord, recordProblem } from './record/read-record.ts';
