import type { ClusterSpec } from './cluster-spec.ts';

/** What every rendered file of a node follows from; nothing here is secret. */
export interface NodeSettings {
  readonly nodeName: string;
  readonly nodeAddress: string;
  /** "1.37.1". */
  readonly version: string;
  readonly cluster: ClusterSpec;
}

/** A file plinthd writes: name in its StateStore and content. */
export type RenderedFile = readonly [name: string, content: string];
