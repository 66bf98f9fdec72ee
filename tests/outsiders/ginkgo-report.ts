/** How one spec of a suite that is written with Ginkgo ended. */
export interface SpecResult {
  /** Its full name, as Ginkgo prints it. */
  readonly name: string;
  /** "skipped" are those the run was told to leave out too. */
  readonly state: 'passed' | 'skipped' | 'failed';
  /** Why it failed or skipped itself; empty otherwise. */
  readonly message: string;
  readonly durationMs: number;
}

interface Report {
  readonly SpecReports: readonly {
    readonly LeafNodeType: string;
    readonly ContainerHierarchyTexts: readonly string[] | null;
    readonly LeafNodeText: string;
    readonly State: string;
    readonly RunTime: number;
    readonly Failure?: { readonly Message: string };
  }[];
}

/** readSpecs reads what `--ginkgo.json-report` wrote: the specs, and parts of the suite's own set-up that failed. */
export function readSpecs(json: string): SpecResult[] {
  const reports: readonly Report[] = JSON.parse(json);
  return reports
    .flatMap(({ SpecReports }) => SpecReports)
    .map((spec) => ({
      isSpec: spec.LeafNodeType === 'It',
      name: [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText || spec.LeafNodeType].join(' '),
      state:
        spec.State === 'passed'
          ? ('passed' as const)
          : ['skipped', 'pending'].includes(spec.State)
            ? ('skipped' as const)
            : ('failed' as const),
      message: spec.Failure?.Message ?? '',
      durationMs: spec.RunTime / 1e6,
    }))
    .filter(({ isSpec, state }) => isSpec || state === 'failed')
    .map(({ isSpec: _isSpec, ...spec }) => spec);
}
