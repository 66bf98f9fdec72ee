export { readStatements } from './read-statements.ts';
export { advisoryStorePath, type ScanOptions, scan, scanInventory } from './scan.ts';
