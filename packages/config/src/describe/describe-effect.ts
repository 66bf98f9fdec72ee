import type { Effect } from '../framework/kind.ts';

/** describeEffect says in words what a change takes to come into effect. */
export function describeEffect(effect: Effect): string {
  switch (effect.kind) {
    case 'live':
      return 'at once';
    case 'reload':
    case 'restart':
      return `${effect.kind} of ${effect.unit.replace(/\.service$/, '')}`;
    case 'reboot':
      return `at the next boot: ${effect.why}`;
  }
}
