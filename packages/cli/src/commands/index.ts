import type { CommandTable } from '../framework/command-table.ts';
import { completionCommand } from './completion.ts';
import { configAddCommand } from './config-add.ts';
import { configContextCommand } from './config-context.ts';
import { configContextsCommand } from './config-contexts.ts';
import { configRemoveCommand } from './config-remove.ts';
import { downCommand } from './down.ts';
import { errorsCommand } from './errors.ts';
import { getBootCommand } from './get-boot.ts';
import { getHealthCommand } from './get-health.ts';
import { getIdentityCommand } from './get-identity.ts';
import { getIntegrityCommand } from './get-integrity.ts';
import { getSlotsCommand } from './get-slots.ts';
import { getVersionsCommand } from './get-versions.ts';
import { lockCommand } from './lock.ts';
import { testCommand } from './test.ts';
import { versionCommand } from './version.ts';
import { vmConsoleCommand } from './vm-console.ts';
import { vmListCommand } from './vm-list.ts';
import { vmScreenshotCommand } from './vm-screenshot.ts';
import { vmStopCommand } from './vm-stop.ts';

/** Every command of `plinth`. */
export const commandTable: CommandTable = {
  commands: [
    downCommand,
    testCommand,
    lockCommand,
    vmStopCommand,
    vmConsoleCommand,
    vmScreenshotCommand,
    vmListCommand,
    getIntegrityCommand,
    getHealthCommand,
    getVersionsCommand,
    getSlotsCommand,
    getBootCommand,
    getIdentityCommand,
    configContextsCommand,
    configContextCommand,
    configAddCommand,
    configRemoveCommand,
    completionCommand,
    versionCommand,
    errorsCommand,
  ],
  groups: {
    vm: 'Run machines on this computer',
    get: 'Ask a running node',
    config: 'Name the nodes this client knows',
  },
  topics: {
    Start: ['down', 'test'],
    Build: ['lock'],
    Run: ['vm', 'get', 'config'],
    'The tool itself': ['completion', 'version', 'errors'],
  },
};
