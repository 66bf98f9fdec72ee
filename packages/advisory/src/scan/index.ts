export { readStatements } from './read-statements.ts';
export { recheckTree } from './recheck-tree.ts';
export { advisoryStorePath, type ScanOptions, scan, scanInventory } from './scan.ts';
