import { cveCommands, cveSummary } from '../../commands/cve-commands.ts';
import { startProcess } from '../../start-process.ts';

// The process of the image: the commands about vulnerabilities and no others.
await startProcess({ commands: cveCommands, groups: { cve: cveSummary }, topics: { Commands: ['cve'] } });
