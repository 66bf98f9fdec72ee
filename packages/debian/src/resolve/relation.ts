import { compareDebianVersions } from '@plinth/base';

/** One alternative of a relation: "libc6 (>= 2.38)", "python3:any" (Debian Policy 7.1). */
export interface Relation {
  readonly name: string;
  /** "any", "native" or an architecture, when the name is qualified. */
  readonly qualifier?: string;
  readonly constraint?: { readonly operator: Operator; readonly version: string };
}

export type Operator = '<<' | '<=' | '=' | '>=' | '>>';

/** A dependency: any one alternative satisfies it. */
export type RelationGroup = readonly Relation[];

/** The deprecated "<" and ">" mean "<=" and ">=" (Debian Policy 7.1). */
const OPERATORS: Readonly<Record<string, Operator>> = {
  '<<': '<<',
  '<=': '<=',
  '<': '<=',
  '=': '=',
  '>=': '>=',
  '>': '>=',
  '>>': '>>',
};

const RELATION =
  /^([a-z0-9][a-z0-9+.-]*)(?::([a-z0-9-]+))?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s)]+)\s*\))?$/;

/** parseRelations reads a Depends-like field; undefined when any part of it is not understood. */
export function parseRelations(text: string): RelationGroup[] | undefined {
  const groups: RelationGroup[] = [];
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const group: Relation[] = [];
    for (const alternative of part.split('|')) {
      const match = RELATION.exec(alternative.trim());
      if (!match) return undefined;
      const [, name = '', qualifier, sign, version] = match;
      const operator = OPERATORS[sign ?? ''];
      group.push({
        name,
        ...(qualifier !== undefined && { qualifier }),
        ...(operator && version !== undefined && { constraint: { operator, version } }),
      });
    }
    groups.push(group);
  }
  return groups;
}

/** satisfies tells whether a version fulfils the relation's constraint. */
export function satisfies(version: string, relation: Relation): boolean {
  if (!relation.constraint) return true;
  const order = compareDebianVersions(version, relation.constraint.version);
  switch (relation.constraint.operator) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
  }
}

/** showRelation writes a relation as a control file does. */
export function showRelation({ name, qualifier, constraint }: Relation): string {
  const qualified = qualifier === undefined ? name : `${name}:${qualifier}`;
  return constraint ? `${qualified} (${constraint.operator} ${constraint.version})` : qualified;
}
