import { unreachable } from '@plinth/base';
import type { Inventory, KernelFacts, PredicateOutcome, VexPredicate } from '../model/index.ts';
import { misspeltName } from './misspelt-name.ts';
import type { ProgramFacts } from './program-facts.ts';
import { goSymbolAbsent, symbolNotImported } from './program-predicates.ts';

/** Rises with each change that lets an image answer otherwise: what was made with another number is made anew. */
export const evidenceRulesNumber = 1;

/**
 * evaluatePredicate asks the image one question. `yes` only when the facts show it; a fact that was not read is
 * `unknown`, never `yes`. Pure: the same facts give the same answer at every build.
 * @param now against which a person's judgement runs out
 * @param programs needed for symbols; without it those predicates are `unknown`
 */
export function evaluatePredicate(
  predicate: VexPredicate,
  inventory: Inventory,
  now: Date,
  programs?: ProgramFacts,
): PredicateOutcome {
  const misspelt = misspeltName(predicate);
  if (misspelt !== undefined) {
    return { holds: 'unknown', detail: `no fact of an image is written like "${misspelt}"` };
  }
  switch (predicate.kind) {
    case 'path-absent':
      return pathAbsent(predicate.paths, inventory);
    case 'package-absent':
      return packageAbsent(predicate.packages, inventory);
    case 'config-off':
      return configOff(predicate.symbols, inventory.kernel);
    case 'module-absent':
      return moduleAbsent(predicate.modules, inventory.kernel);
    case 'module-denied':
      return moduleDenied(predicate.modules, inventory.kernel);
    case 'other-architecture':
      return otherArchitecture(predicate.affected, inventory.subject.architecture);
    case 'symbol-not-imported':
      return symbolNotImported(predicate.library, predicate.symbols, programs);
    case 'go-symbol-absent':
      return goSymbolAbsent(predicate.paths, predicate.symbols, inventory, programs);
    case 'human':
      return humanJudgement(predicate, now);
    default:
      return unreachable(predicate);
  }
}

/** A predicate about nothing would hold for everything. */
const ABOUT_NOTHING: PredicateOutcome = {
  holds: 'unknown',
  detail: 'the predicate names nothing to look for',
};

function pathAbsent(paths: readonly string[], inventory: Inventory): PredicateOutcome {
  if (paths.length === 0) return ABOUT_NOTHING;
  if (!inventory.files || inventory.files.length === 0) {
    return { holds: 'unknown', detail: 'there is no list of files of the image' };
  }
  const wanted = paths.map(canonicalPath);
  const found = inventory.files.find((file) => {
    const path = canonicalPath(file);
    return wanted.some((each) => path === each || path.startsWith(`${each}/`));
  });
  return found === undefined
    ? { holds: 'yes', detail: `none of ${named(paths)} is among the image's ${inventory.files.length} files` }
    : { holds: 'no', detail: `${found} is in the image` };
}

/** Debian's /bin, /sbin and /lib are links into /usr: both names are one file. */
function canonicalPath(path: string): string {
  const absolute = `/${path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '')}`;
  return absolute.replace(/^\/(bin|sbin|lib|lib32|lib64|libx32)(?=\/|$)/, '/usr/$1');
}

function packageAbsent(packages: readonly string[], inventory: Inventory): PredicateOutcome {
  if (packages.length === 0) return ABOUT_NOTHING;
  if (inventory.binaries.length === 0)
    return { holds: 'unknown', detail: 'there is no list of packages of the image' };
  const wanted = new Set(packages);
  for (const binary of inventory.binaries) {
    const built = [...binary.builtUsing, ...binary.staticBuiltUsing].find(({ source }) => wanted.has(source));
    if (built)
      return { holds: 'no', detail: `${built.source} ${built.version} is built into ${binary.name}` };
    if (!wanted.has(binary.name) && !wanted.has(binary.source)) continue;
    // dpkg may say "installed" of what the image's maker deleted.
    if (binary.filesPresent !== 'none') {
      return { holds: 'no', detail: `${binary.name} ${binary.version} is in the image` };
    }
  }
  const go = goModuleIn(wanted, inventory) ?? npmModuleIn(wanted, inventory);
  if (go) return go;
  const count = inventory.binaries.length;
  return {
    holds: 'yes',
    detail: `none of the image's ${count} packages is, or was built with, ${named(packages)}`,
  };
}

/** "go:golang.org/x/net" asks for a Go module; a program that records none may hold any. */
function goModuleIn(wanted: ReadonlySet<string>, inventory: Inventory): PredicateOutcome | undefined {
  const modules = [...wanted].filter((name) => name.startsWith('go:')).map((name) => name.slice(3));
  if (modules.length === 0) return undefined;
  for (const program of inventory.goPrograms) {
    const found = [program.main, ...program.modules].find((each) => each && modules.includes(each.path));
    if (found) return { holds: 'no', detail: `${found.path} ${found.version} is in ${program.path}` };
  }
  const silent = inventory.goPrograms.find((program) => !program.modulesRecorded);
  return silent && { holds: 'unknown', detail: `${silent.path} does not record which Go modules are in it` };
}

/** "npm:undici" asks for a package of the npm registry. */
function npmModuleIn(wanted: ReadonlySet<string>, inventory: Inventory): PredicateOutcome | undefined {
  const found = inventory.npmModules.find(({ name }) => wanted.has(`npm:${name}`));
  return found && { holds: 'no', detail: `${found.name} ${found.version} is in the image` };
}

function configOff(symbols: readonly string[], kernel: KernelFacts | undefined): PredicateOutcome {
  if (symbols.length === 0) return ABOUT_NOTHING;
  const config = kernel?.config;
  if (!kernel || !config) return { holds: 'unknown', detail: "the kernel's configuration was not read" };
  // A config without these is cut off or of something else: every Linux kernel for a machine has them.
  if (!('CONFIG_64BIT' in config) && !('CONFIG_MMU' in config)) {
    return { holds: 'unknown', detail: "the kernel's configuration is not complete" };
  }
  const on = symbols.find((symbol) => config[symbol] !== undefined && config[symbol] !== 'n');
  return on === undefined
    ? { holds: 'yes', detail: `kernel ${kernel.release} is compiled without ${named(symbols)}` }
    : { holds: 'no', detail: `kernel ${kernel.release} has ${on}=${config[on]}` };
}

function moduleAbsent(modules: readonly string[], kernel: KernelFacts | undefined): PredicateOutcome {
  if (modules.length === 0) return ABOUT_NOTHING;
  const lists = shippedModules(kernel);
  if (!kernel || !lists) return { holds: 'unknown', detail: "the kernel's modules were not read" };
  const found = modules.map(moduleName).find((name) => lists.files.has(name) || lists.builtin.has(name));
  if (found === undefined) {
    return {
      holds: 'yes',
      detail: `none of ${named(modules)} is among the modules of kernel ${kernel.release}`,
    };
  }
  const how = lists.builtin.has(found) ? 'built into' : 'a module of';
  return { holds: 'no', detail: `${found} is ${how} kernel ${kernel.release}` };
}

function moduleDenied(modules: readonly string[], kernel: KernelFacts | undefined): PredicateOutcome {
  if (modules.length === 0) return ABOUT_NOTHING;
  const lists = shippedModules(kernel);
  if (!kernel?.denied || !lists)
    return { holds: 'unknown', detail: 'the list of denied modules was not read' };
  const denied = new Set(kernel.denied.map(moduleName));
  const names = modules.map(moduleName);
  const builtin = names.find((name) => lists.builtin.has(name));
  if (builtin !== undefined) {
    return { holds: 'no', detail: `${builtin} is built into kernel ${kernel.release}: no list keeps it out` };
  }
  const free = names.find((name) => lists.files.has(name) && !denied.has(name));
  return free === undefined
    ? { holds: 'yes', detail: `${named(modules)} cannot be loaded: denied or not shipped` }
    : { holds: 'no', detail: `${free} is shipped and not denied` };
}

function shippedModules(
  kernel: KernelFacts | undefined,
): { readonly files: ReadonlySet<string>; readonly builtin: ReadonlySet<string> } | undefined {
  // Without the list of what is built in, a missing file says nothing.
  if (!kernel?.modules || !kernel.builtin || kernel.builtin.length === 0) return undefined;
  return { files: new Set(kernel.modules.map(moduleName)), builtin: new Set(kernel.builtin.map(moduleName)) };
}

function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}

function otherArchitecture(affected: readonly string[], architecture: string): PredicateOutcome {
  if (affected.length === 0) return ABOUT_NOTHING;
  if (architecture === '') return { holds: 'unknown', detail: "the image's architecture is not known" };
  return affected.includes(architecture)
    ? { holds: 'no', detail: `the flaw exists on ${architecture}` }
    : {
        holds: 'yes',
        detail: `the flaw exists on ${affected.join(', ')} only, the image is ${architecture}`,
      };
}

function humanJudgement(
  {
    author,
    reason,
    expiresAt,
  }: { readonly author: string; readonly reason: string; readonly expiresAt: string },
  now: Date,
): PredicateOutcome {
  const end = new Date(expiresAt);
  if (author.trim() === '' || reason.trim() === '' || Number.isNaN(end.getTime())) {
    return { holds: 'unknown', detail: 'the judgement lacks its author, its reason or its end' };
  }
  const day = expiresAt.slice(0, 10);
  return now.getTime() < end.getTime()
    ? { holds: 'yes', detail: `${author} until ${day}: ${reason}` }
    : { holds: 'no', detail: `the judgement of ${author} ended on ${day}` };
}

function named(names: readonly string[]): string {
  return names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
