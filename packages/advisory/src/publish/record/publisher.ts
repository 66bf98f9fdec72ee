/** Who publishes, and where: the same in every format. */
export interface Publisher {
  /** "Plinth". */
  readonly name: string;
  /** Address of the tree, without a slash at its end: "https://advisories.example". */
  readonly url: string;
  /** How to reach the publisher, in words; absent: not said. */
  readonly contact?: string;
}

/** The folder of CSAF documents below the address, where a trusted provider has them. */
export const CSAF_FOLDER = '.well-known/csaf';

/** csafFileName is the name of a document (CSAF 2.0, 5.1): "plsa-2026-0001.json". */
export function csafFileName(trackingId: string): string {
  return `${trackingId.toLowerCase().replaceAll(/[^+\-a-z0-9]+/g, '_')}.json`;
}

/** csafPath is where a document lies below `white/`: "2026/plsa-2026-0001.json". */
export function csafPath(trackingId: string, publishedAt: string): string {
  return `${publishedAt.slice(0, 4)}/${csafFileName(trackingId)}`;
}

/** pageUrl is the page of a record for people. */
export function pageUrl(publisher: Publisher, recordId: string): string {
  return `${publisher.url}/advisories/${recordId.toLowerCase()}.html`;
}
