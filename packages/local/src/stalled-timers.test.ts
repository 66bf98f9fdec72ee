import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stalledTimers } from './stalled-timers.ts';

/** As a machine printed it that never went on: twice, 21 s apart. */
const REPORT = [
  '[   22.073070] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
  '[   22.074352] rcu: \t1-...!: (44 ticks this GP) idle=85b0/0/0x0 softirq=13/14 fqs=1 (false positive?)',
  "[   22.076909] rcu: rcu_preempt kthread timer wakeup didn't happen for 5247 jiffies! g-1155 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x402",
  '[   22.076909] rcu: \tPossible timer handling issue on cpu=1 timer-softirq=3',
];

test('the second report that no timer comes means a machine that stands still, and is told once', () => {
  const standsStill = stalledTimers();
  const told = [...REPORT, ...REPORT, ...REPORT].map(standsStill);
  assert.deepEqual(
    told.flatMap((is, index) => (is ? [index] : [])),
    [REPORT.length + 2],
  );
});

test('a computer that was late once, and reports of other kinds, are not one', () => {
  const standsStill = stalledTimers();
  const others = [
    '[   25.1] rcu: INFO: rcu_preempt self-detected stall on CPU',
    '[   25.2] rcu: \t0-....: (5250 ticks this GP) idle=1b2c/1/0x4000000000000000',
    'plinth: api ready port=7546 fingerprint=sha256:00',
  ];
  assert.equal([...REPORT, ...others, ...others].some(standsStill), false);
});
