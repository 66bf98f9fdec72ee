export { advisoryStorePath, type ScanOptions, scan, scanInventory } from './scan.ts';
