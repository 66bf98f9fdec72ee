// Imports point down the layers only, never into another package's insides, and never in a circle.

import { findCycle, importsOf, resolveImport } from './import-graph.ts';
import { doors, layers, pureNodeModules, purePackages } from './layers.ts';
import { finish, isSource, readRepoFile, repoFiles } from './repo-files.ts';

const problems: string[] = [];
const graph = new Map<string, string[]>();

for (const path of repoFiles().filter((file) => isSource(file) && file.startsWith('packages/'))) {
  const [, owner = '', area = ''] = path.split('/');
  const isTest = path.endsWith('.test.ts') || path.includes('/testing/') || area !== 'src';
  const edges: string[] = [];
  for (const { specifier, typeOnly, eager } of importsOf(readRepoFile(path))) {
    if (specifier.startsWith('.')) {
      const target = resolveImport(path, specifier);
      if (!target.startsWith(`packages/${owner}/`))
        problems.push(`${path}: reaches into ${target}, expected @plinth/…`);
      if (!typeOnly && eager) edges.push(target);
    } else if (specifier.startsWith('@plinth/')) {
      problems.push(...packageProblems(path, owner, specifier, isTest));
    } else if (specifier.startsWith('node:') && purePackages.includes(owner) && !isTest) {
      if (!pureNodeModules.includes(specifier))
        problems.push(`${path}: imports ${specifier}, expected none: ${owner} is pure`);
    }
  }
  graph.set(path, edges);
}

const cycle = findCycle(graph);
if (cycle) problems.push(`cycle: ${cycle.join(' -> ')}`);
finish('check-boundaries', problems);

function packageProblems(path: string, owner: string, specifier: string, isTest: boolean): string[] {
  const [target = '', ...rest] = specifier.slice('@plinth/'.length).split('/');
  const helpers = isTest && rest.join('/') === 'testing';
  const isDoor = doors[target]?.includes(rest.join('/')) ?? false;
  if (rest.length > 0 && !helpers && !isDoor)
    return [`${path}: imports ${specifier}, expected only @plinth/${target}`];
  const allowed = layers[owner];
  if (!allowed) return [`${path}: package ${owner} has no layer, expected one in tools/layers.ts`];
  // A test may look at anything below the command line; nothing imports a test.
  const ok = allowed.includes(target) || (isTest && target !== 'cli' && target in layers);
  return ok ? [] : [`${path}: ${owner} imports ${target}, expected one of ${allowed.join(', ') || 'none'}`];
}
