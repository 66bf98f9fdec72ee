import type { CheckResult } from './checks/check.ts';
import type { NodeConsole } from './console.ts';
import type { EventBus } from './events/event-bus.ts';
import type { Health } from './health/collect-health.ts';
import type { Integrity } from './integrity/collect-integrity.ts';
import { isStarting } from './reports/system-state.ts';
import type { Sys } from './sys/sys.ts';

/**
 * openWatch gives a function that looks at the node and says on the console, and as events, what has become bad or good
 * since the look before. It never throws.
 */
export function openWatch(
  sys: Sys,
  console: NodeConsole,
  health: () => Promise<Health>,
  integrity: () => Promise<Integrity>,
  events?: Pick<EventBus, 'publish'>,
): () => Promise<void> {
  const report = changeReport(console, events);
  let postureSeen = false;
  let addresses = '';
  return async () => {
    const now = sys.addresses().join(', ');
    if (now !== addresses) console.say(`addresses: ${now || 'none'}`);
    addresses = now;
    // Posture does not change by itself, and looking at it makes the kernel refuse things: once is enough.
    if (!postureSeen) report((await integrity()).checks);
    postureSeen = true;
    if (!(await isStarting(sys))) report((await health()).checks);
  };
}

/** Says what became bad, and what became good again; says nothing twice. */
function changeReport(
  console: NodeConsole,
  events: Pick<EventBus, 'publish'> | undefined,
): (checks: readonly CheckResult[]) => void {
  const bad = new Map<string, string>();
  return (checks) => {
    for (const { id, verdict, observed } of checks) {
      const before = bad.get(id);
      if (verdict === 'pass') {
        if (before !== undefined) {
          console.say(`recovered: ${id}: ${observed}`);
          events?.publish({ topic: 'health', subject: id, state: 'recovered', text: observed });
        }
        bad.delete(id);
        continue;
      }
      if (before !== observed) {
        console.say(`degraded: ${id}: ${observed}`);
        events?.publish({ topic: 'health', subject: id, state: 'degraded', text: observed });
      }
      bad.set(id, observed);
    }
  };
}
