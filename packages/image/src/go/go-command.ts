import type { Bind, SandboxOptions } from '@plinth/toolbox';
import type { GoCache } from './go-cache.ts';
import type { GoComponent } from './go-component.ts';

/** Where a run of the go command finds its folders, all of them inside the toolbox. */
export const INSIDE = { source: '/src', modules: '/go/mod', packages: '/go/build', scratch: '/go/tmp' };

/** Settings that shape the result; they are part of the key of what is built. */
export const TARGET = {
  CGO_ENABLED: '0',
  GOOS: 'linux',
  GOARCH: 'amd64',
  GOAMD64: 'v1',
} as const;

const ALWAYS = {
  ...TARGET,
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
  GOMODCACHE: INSIDE.modules,
  GOCACHE: INSIDE.packages,
};

/** Where a go command runs, and what it sees. */
export type GoRun = SandboxOptions & { readonly binds: readonly Bind[] };

/** modFlags are the flags with which every go command must read a component's module. */
export function modFlags({ modFile, tags }: GoComponent): string[] {
  return [
    '-mod=readonly',
    ...(modFile === 'go.mod' ? [] : [`-modfile=${modFile}`]),
    ...(tags.length === 0 ? [] : [`-tags=${tags.join(',')}`]),
  ];
}

/**
 * buildFlags are the flags of the one `go build` of a component: no paths of this machine, no version control, no
 * symbol tables; nothing of them depends on where or when it runs.
 */
export function buildFlags(component: GoComponent): string[] {
  const variables = Object.entries(component.variables).map(([name, value]) => `-X=${name}=${value}`);
  return [
    ...modFlags(component),
    '-trimpath',
    '-buildvcs=false',
    `-ldflags=${['-s', '-w', ...variables].join(' ')}`,
  ];
}

/** goFetchRun gives the sandbox in which modules are fetched: it has the network, and may add to the modules. */
export function goFetchRun(component: GoComponent, cache: GoCache): GoRun {
  return {
    cwd: INSIDE.source,
    network: true,
    env: ALWAYS,
    binds: [
      { host: component.moduleDir, inside: INSIDE.source, readOnly: true },
      { host: cache.modules, inside: INSIDE.modules },
      { host: cache.packages, inside: INSIDE.packages },
    ],
  };
}

/**
 * goCompileRun gives the sandbox of the compiler: no network, and modules only to read.
 * @param source where the source appears inside
 */
export function goCompileRun(
  component: GoComponent,
  cache: GoCache,
  { scratch, source = INSIDE.source }: { readonly scratch: string; readonly source?: string | undefined },
): GoRun {
  return {
    cwd: source,
    network: false,
    env: { ...ALWAYS, GOTMPDIR: INSIDE.scratch, GOENV: 'off', GOPROXY: 'off', GOSUMDB: 'off' },
    binds: [
      { host: component.moduleDir, inside: source, readOnly: true },
      { host: cache.modules, inside: INSIDE.modules, readOnly: true },
      { host: cache.packages, inside: INSIDE.packages },
      { host: scratch, inside: INSIDE.scratch },
    ],
  };
}
