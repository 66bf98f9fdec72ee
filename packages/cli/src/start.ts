import { commandTable } from './commands/index.ts';
import { startProcess } from './start-process.ts';

await startProcess(commandTable);
