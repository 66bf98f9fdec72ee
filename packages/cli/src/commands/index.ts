import type { CommandTable } from '../framework/command-table.ts';
import { completionCommand } from './completion.ts';
import { errorsCommand } from './errors.ts';
import { versionCommand } from './version.ts';

/** Every command of `plinth`. */
export const commandTable: CommandTable = {
  commands: [completionCommand, versionCommand, errorsCommand],
  groups: {},
  topics: {
    'The tool itself': ['completion', 'version', 'errors'],
  },
};
