// Writes docs/reference/*.md and the list of decisions from the code's own data. With --check it changes nothing and fails on a stale page.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { advisorPage, decisionsOfDocumentsPage } from './pages/advisor-page.ts';
import { cliPage } from './pages/cli-page.ts';
import { decisionsPage } from './pages/decisions-page.ts';
import { errorsPage } from './pages/errors-page.ts';
import { exitCodesPage } from './pages/exit-codes-page.ts';
import { fleetDefinitions, fleetMonitoring, fleetOperator } from './pages/fleet-page.ts';
import { fleetReferencePage } from './pages/fleet-reference-page.ts';
import { healthPage } from './pages/health-page.ts';
import { machineConfigPage, machineConfigSchema } from './pages/machine-config-page.ts';
import { osSpecPage } from './pages/os-spec-page.ts';
import { outsidersPage } from './pages/outsiders-page.ts';
import { pathsPage } from './pages/paths-page.ts';
import { sourcesPage } from './pages/sources-page.ts';
import { channelSchema, manifestSchema } from './pages/update-schemas-page.ts';
import { workloadRulesPage } from './pages/workload-rules-page.ts';
import { finish, root } from './repo-files.ts';

const pages: Readonly<Record<string, () => string>> = {
  'docs/adr/README.md': decisionsPage,
  'docs/explanation/node-os-decisions.md': decisionsOfDocumentsPage,
  'docs/reference/advisor.md': advisorPage,
  'docs/reference/channel.schema.json': channelSchema,
  'docs/reference/cli.md': cliPage,
  'docs/reference/errors.md': errorsPage,
  'docs/reference/exit-codes.md': exitCodesPage,
  'docs/reference/fleet.md': fleetReferencePage,
  'docs/reference/health.md': healthPage,
  'docs/reference/machine-config.md': machineConfigPage,
  'docs/reference/machine-config.schema.json': machineConfigSchema,
  'docs/reference/manifest.schema.json': manifestSchema,
  'docs/reference/os-spec.md': osSpecPage,
  'docs/reference/outsiders.md': outsidersPage,
  'docs/reference/paths.md': pathsPage,
  'docs/reference/sources.md': sourcesPage,
  'docs/reference/workload-rules.md': workloadRulesPage,
  'packages/fleet/manifests/crds.yaml': fleetDefinitions,
  'packages/fleet/manifests/monitoring.yaml': fleetMonitoring,
  'packages/fleet/manifests/operator.yaml': fleetOperator,
};

const check = process.argv.includes('--check');
const stale: string[] = [];
for (const [path, makePage] of Object.entries(pages)) {
  const target = join(root, path);
  const page = makePage();
  if (existsSync(target) && readFileSync(target, 'utf8') === page) continue;
  if (check) {
    stale.push(`${path}: stale, expected what "npm run docs" writes`);
  } else {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, page);
    console.log(`wrote ${path}`);
  }
}
finish('generate-docs', stale);
