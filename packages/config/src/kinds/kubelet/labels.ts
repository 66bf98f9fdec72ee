import { z } from 'zod';

const MOST = 32;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** Those of Kubernetes that a node may give itself (admission plugin NodeRestriction), and that nothing else sets here. */
const OF_KUBERNETES = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/** labelProblem tells why a node cannot give itself a label of that name; undefined when it can. */
function labelProblem(key: string): string | undefined {
  const [name = '', domain, more] = key.split('/').toReversed();
  if (more !== undefined || !NAME.test(name) || (domain !== undefined && !DOMAIN.test(domain)))
    return 'expected the name of a label: "disk", "example.com/disk"';
  if (OF_KUBERNETES.includes(key)) return undefined;
  if (domain !== undefined && isBelow(domain, 'kubernetes.io', 'k8s.io'))
    return `expected a name of your own or one of ${OF_KUBERNETES.join(', ')}: others below kubernetes.io are not for a node to give itself`;
  if (domain !== undefined && isBelow(domain, 'plinth.dev'))
    return 'expected a name of your own: plinthd sets those of plinth.dev';
  return undefined;
}

/** Labels that the node gives itself. */
export const labels = z
  .record(
    z.string(),
    z
      .string()
      .regex(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/, 'expected the value of a label: "ssd"'),
  )
  .superRefine((given, context) => {
    const keys = Object.keys(given);
    if (keys.length > MOST) context.addIssue({ code: 'custom', message: `expected at most ${MOST} labels` });
    for (const key of keys) {
      const message = labelProblem(key);
      if (message) context.addIssue({ code: 'custom', path: [key], message });
    }
  })
  .describe(
    'Labels of the node in its cluster. plinthd keeps them so; one that is taken out of the config is taken off the node.',
  );

function isBelow(domain: string, ...parents: string[]): boolean {
  return parents.some((parent) => domain === parent || domain.endsWith(`.${parent}`));
}
