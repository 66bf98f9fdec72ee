import { checkTargets, loadCheckKnowledge } from '@plinth/advisor';
import { root } from '../repo-files.ts';
import { markdownTable, page } from './page.ts';

// What a rule is does not depend on the target, nor on the day.
const { rules } = await loadCheckKnowledge('plinth', `${root}/os`, '1970-01-01');
const targets = await Promise.all(
  (await checkTargets()).map(async (id) => (await loadCheckKnowledge(id, `${root}/os`, '1970-01-01')).target),
);

/** workloadRulesPage documents every rule of "plinth migrate check", one heading each, and the systems it checks for. */
export function workloadRulesPage(): string {
  return page(
    'Rules of plinth migrate check',
    'packages/advisor/data/check',
    'How to run the check: [Check workloads before a move](../how-to/check-workloads-before-a-move.md). Ids are stable: waivers and SARIF name them. The severity is the usual one; a rule may find less or more, and says `unknown` where nobody has read what the target does.',
    markdownTable(
      ['Rule', 'Severity', 'What'],
      [...rules.values()].map(({ id, severity, title }) => [
        `[${id}](#${id.toLowerCase()})`,
        severity,
        title,
      ]),
    ),
    ...[...rules.values()].map(({ id, name, title, severity, why, fix, source }) =>
      [
        `## ${id}`,
        `**${title}** (\`${name}\`, ${severity})`,
        `${why}`,
        `- **Fix:** ${fix}\n- **Source:** ${source}`,
      ].join('\n\n'),
    ),
    '## Systems to check for',
    'What `--to` takes, and where facts about each were read. What is not among its facts counts as unknown. Those of Plinth are read from the files it is built from.',
    markdownTable(
      ['System', 'Name', 'Read in', 'On'],
      targets.flatMap(({ id, name, sources }) =>
        id === 'plinth'
          ? [[`\`${id}\``, name, '`os/`', 'each check']]
          : Object.values(sources).map(({ title, read }) => [`\`${id}\``, name, title, read]),
      ),
    ),
  );
}
