import type { ToolOptions } from '@plinth/toolbox';
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
  GOTMPDIR: INSIDE.scratch,
};

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

/** goRun gives the sandbox of a run: the source is read-only, and so are the modules unless they are being fetched. */
export function goRun(
  component: GoComponent,
  cache: GoCache,
  options: { readonly fetching: boolean; readonly source?: string },
): Pick<ToolOptions, 'binds' | 'cwd' | 'env' | 'network'> {
  const source = options.source ?? INSIDE.source;
  return {
    cwd: source,
    network: options.fetching,
    env: options.fetching ? { ...ALWAYS } : { ...ALWAYS, GOENV: 'off', GOPROXY: 'off', GOSUMDB: 'off' },
    binds: [
      { host: component.moduleDir, inside: source, readOnly: true },
      { host: cache.modules, inside: INSIDE.modules, readOnly: !options.fetching },
      { host: cache.packages, inside: INSIDE.packages },
      { host: cache.scratch, inside: INSIDE.scratch },
    ],
  };
}
