/**
 * The house: each package with the packages it may import. Imports point down only; see ARCHITECTURE.md.
 * A package that is not here fails the check, so the picture cannot fall behind.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  formats: ['base'],
  host: ['base'],
  config: ['base'],
  kube: ['base'],
  api: ['base'],
  updates: ['base', 'formats'],
  attest: ['base', 'formats'],
  trust: ['base', 'formats', 'host'],
  debian: ['base', 'formats', 'host'],
  toolbox: ['base', 'host', 'debian'],
  agent: ['base', 'formats', 'config', 'updates', 'attest', 'api'],
  publish: ['base', 'formats', 'host', 'trust', 'updates'],
  advisory: ['base', 'formats', 'host', 'trust', 'debian'],
  advisor: ['base', 'host', 'config', 'kube'],
  posture: ['base'],
  fleet: ['base', 'host', 'kube', 'updates', 'api'],
  image: ['base', 'formats', 'host', 'updates', 'attest', 'trust', 'debian', 'toolbox', 'api', 'advisory'],
  local: ['base', 'formats', 'host', 'trust', 'debian', 'toolbox', 'api'],
  cli: [
    'base',
    'formats',
    'host',
    'trust',
    'debian',
    'toolbox',
    'updates',
    'attest',
    'config',
    'api',
    'agent',
    'advisory',
    'advisor',
    'posture',
    'kube',
    'fleet',
    'publish',
    'image',
    'local',
  ],
};

/** Second doors of a package: what is heavy, or starts threads, and is imported only where it is used. */
export const doors: Readonly<Record<string, readonly string[]>> = {
  attest: ['confidential'],
  fleet: ['build', 'runtime'],
  // The names of folders alone: they are needed before the cache of compiled code, without which all others are compiled anew.
  host: ['bundle', 'directories'],
  updates: ['tuf'],
};

/** Packages that do no input or output: time, randomness and bytes are their arguments. */
export const purePackages: readonly string[] = ['attest', 'base', 'config', 'formats', 'updates'];

/** Node modules that a pure package may use all the same: they compute, they do not reach out. */
export const pureNodeModules: readonly string[] = [
  'node:crypto',
  'node:util',
  'node:zlib',
  'node:buffer',
  'node:path',
];
