import type { ScanReport } from '../model/index.ts';
import type { Papers } from './find-papers.ts';

/** A package whose files a hot layer brings; versions are of the binary package. */
export interface LayerFix {
  readonly package: string;
  readonly fromVersion: string;
  readonly toVersion: string;
}

/** A hot layer that is merged into /usr of a node. */
export interface MergedLayer {
  readonly serial: number;
  /** Root hash of the image it is for, hexadecimal. */
  readonly baseRootHash: string;
  readonly fixes: readonly LayerFix[];
}

/**
 * Whether code that the running release or its hot layer replaced is still mapped by a process. `unknown`: nobody looked,
 * or the kernel did not show all processes.
 */
export type OldCode = 'none' | 'mapped' | 'unknown';

/** What one node said of itself when it was asked. */
export interface NodeState {
  /** Name by which it was asked. */
  readonly node: string;
  /** Its identity, 32 hexadecimal digits: the same under every name. */
  readonly nodeId: string;
  /** When it was asked, by the clock of who asked, ISO 8601. */
  readonly askedAt: string;
  /** IMAGE_VERSION; shown only, nothing is matched by it. */
  readonly version: string;
  /** Root hash that dm-verity enforces, hexadecimal; empty when its root is not on dm-verity. */
  readonly rootHash: string;
  readonly integrity: {
    readonly verdict: 'pass' | 'fail' | 'unknown';
    /** Ids of the checks that do not pass. */
    readonly notPassing: readonly string[];
  };
  /** Versions of the Kubernetes layers that are merged; `unknown` when the node could not tell. */
  readonly kubernetes: readonly string[] | 'unknown';
  /** Root hashes of signed volumes beside the root while layers are merged; hexadecimal. Older nodes tell none. */
  readonly layerRootHashes: readonly string[];
  /** `none`: it says that no hot layer is merged. */
  readonly hotLayer: MergedLayer | 'none' | 'unknown';
  readonly oldCode: OldCode;
  /** How many processes are known to run replaced code. */
  readonly oldProcesses: number;
}

/** A node with what stays unknown about it; empty gaps say that its release's report is all there is. */
export interface JudgedNode extends NodeState {
  /** Name of the release by its papers; absent: no papers have its root hash, so nothing it runs was judged. */
  readonly release?: string;
  /** Names of its Kubernetes layers that were judged, by their papers. */
  readonly layers: readonly string[];
  readonly gaps: readonly string[];
}

/** What is open in one release or Kubernetes layer, with the nodes that run it. Nodes with another hot layer are another entry. */
export interface RunningRelease {
  readonly kind: Papers['kind'];
  /** "plinth_0.1.1_x86-64", of the papers. */
  readonly name: string;
  readonly rootHash: string;
  readonly hotLayerSerial?: number;
  /** Where its papers are. */
  readonly papers: string;
  readonly nodes: readonly string[];
  readonly report: ScanReport;
}

/** What is open on nodes. */
export interface NodesReport {
  readonly format: 1;
  /** ISO 8601. */
  readonly judgedAt: string;
  /** The one on most nodes first. */
  readonly releases: readonly RunningRelease[];
  readonly nodes: readonly JudgedNode[];
  /** Folders of papers that could not be used, and papers that contradict each other. */
  readonly gaps: readonly string[];
  /** Whether every node was judged, by whole papers, with every feed that has to be asked, and nothing stayed unknown. */
  readonly complete: boolean;
}
