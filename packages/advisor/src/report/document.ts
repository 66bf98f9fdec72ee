/** A report as data: what terminal, Markdown and HTML are made from. */
export interface Report {
  readonly title: string;
  readonly sections: readonly Section[];
}

export interface Section {
  readonly heading: string;
  readonly parts: readonly Part[];
  /** Left out elsewhere: what is too wide for a terminal, or what is made for it. */
  readonly onlyOn?: 'terminal' | 'files';
}

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'commands'; readonly lines: readonly string[] }
  | { readonly kind: 'diagram'; readonly mermaid: string; readonly svg: string }
  | {
      readonly kind: 'table';
      readonly header: readonly string[];
      readonly rows: readonly (readonly string[])[];
      readonly empty?: string;
    };

/** The sections that belong into a file. */
export function sectionsOfFile({ sections }: Report): readonly Section[] {
  return sections.filter(({ onlyOn }) => onlyOn !== 'terminal');
}
