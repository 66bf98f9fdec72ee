import { commandHelp, commandTable } from '@plinth/cli';
import { page } from './page.ts';

/** cliPage documents every command with the very text of its --help. */
export function cliPage(): string {
  const plain = { strong: same, faint: same, good: same, bad: same, doubtful: same, active: same };
  const byWord = commandTable.commands.map(
    (command) => `## plinth ${command.path.join(' ')}\n\n\`\`\`text\n${commandHelp(command, plain)}\`\`\``,
  );
  return page(
    'Commands',
    'packages/cli/src/commands/',
    'Options that every command takes: see `plinth help`. Exit codes: see [exit-codes.md](exit-codes.md).',
    ...byWord,
  );
}

function same(text: string): string {
  return text;
}
