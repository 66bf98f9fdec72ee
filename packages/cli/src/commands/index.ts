import type { CommandTable } from '../framework/command-table.ts';
import { buildCommand } from './build.ts';
import { completionCommand } from './completion.ts';
import { configAddCommand } from './config-add.ts';
import { configContextCommand } from './config-context.ts';
import { configContextsCommand } from './config-contexts.ts';
import { configRemoveCommand } from './config-remove.ts';
import { diffCommand } from './diff.ts';
import { downCommand } from './down.ts';
import { errorsCommand } from './errors.ts';
import { getBootCommand } from './get-boot.ts';
import { getHealthCommand } from './get-health.ts';
import { getIdentityCommand } from './get-identity.ts';
import { getIntegrityCommand } from './get-integrity.ts';
import { getSlotsCommand } from './get-slots.ts';
import { getVersionsCommand } from './get-versions.ts';
import { inspectCommand } from './inspect.ts';
import { keysExportCommand } from './keys-export.ts';
import { keysInitCommand } from './keys-init.ts';
import { keysListCommand } from './keys-list.ts';
import { keysRotateCommand } from './keys-rotate.ts';
import { kubernetesBuildCommand } from './kubernetes-build.ts';
import { lockCommand } from './lock.ts';
import { sbomCommand } from './sbom.ts';
import { testCommand } from './test.ts';
import { upCommand } from './up.ts';
import { verifyCommand } from './verify.ts';
import { versionCommand } from './version.ts';
import { vmConsoleCommand } from './vm-console.ts';
import { vmListCommand } from './vm-list.ts';
import { vmScreenshotCommand } from './vm-screenshot.ts';
import { vmStartCommand } from './vm-start.ts';
import { vmStopCommand } from './vm-stop.ts';

/** Every command of `plinth`. */
export const commandTable: CommandTable = {
  commands: [
    upCommand,
    downCommand,
    testCommand,
    lockCommand,
    buildCommand,
    kubernetesBuildCommand,
    verifyCommand,
    inspectCommand,
    sbomCommand,
    diffCommand,
    keysInitCommand,
    keysListCommand,
    keysExportCommand,
    keysRotateCommand,
    vmStartCommand,
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
    kubernetes: 'Build Kubernetes for the nodes',
    keys: 'Make, list, export and rotate the signing keys',
    vm: 'Run machines on this computer',
    get: 'Ask a running node',
    config: 'Name the nodes this client knows',
  },
  topics: {
    Start: ['up', 'down', 'test'],
    Build: ['lock', 'build', 'verify', 'inspect', 'sbom', 'diff', 'kubernetes', 'keys'],
    Run: ['vm', 'get', 'config'],
    'The tool itself': ['completion', 'version', 'errors'],
  },
};
