import type { NodeSelector } from '../objects/index.ts';
import type { LabelSelectorView } from '../view/view.ts';

type Labels = Readonly<Record<string, string>>;

/** Whether a policy selects a node. An empty selector takes no node: a policy without one is a mistake, not "all". */
export function selectsNode(selector: NodeSelector, labels: Labels): boolean {
  if (Object.keys(selector.matchLabels).length + selector.matchExpressions.length === 0) return false;
  return selectsLabels(selector, labels);
}

/** Whether a label selector of Kubernetes holds; an empty one always does. An operator nobody knows holds never. */
export function selectsLabels(selector: LabelSelectorView, labels: Labels): boolean {
  for (const key in selector.matchLabels) if (labels[key] !== selector.matchLabels[key]) return false;
  return selector.matchExpressions.every(({ key, operator, values }) => {
    const value = labels[key];
    if (operator === 'In') return value !== undefined && values.includes(value);
    if (operator === 'NotIn') return value === undefined || !values.includes(value);
    if (operator === 'Exists') return value !== undefined;
    return operator === 'DoesNotExist' && value === undefined;
  });
}
