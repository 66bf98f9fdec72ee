import { z } from 'zod';
import type { DeepReadonly } from '../../framework/kind.ts';
import { type AllowedSysctl, allowedSysctls } from './allowed.ts';
import { refusedSysctls } from './refused.ts';

/** One number, or as many as the kernel wants in one setting. */
export type SysctlValue = number | readonly number[];

const PORTS = 'net.ipv4.ip_local_port_range';
const LEAST_PORTS = 4096;

const settings = z.strictObject(
  Object.fromEntries(allowedSysctls.map((each) => [each.key, numberOf(each).describe(each.why).optional()])),
);

/** Settings of the kernel, from the list of those that may be changed. */
export const sysctlsSchema = z
  .strictObject({
    settings: explained(settings).describe(
      'Settings by their names in sysctl.d(5). Only those listed here may be changed.',
    ),
  })
  .superRefine(({ settings: given }, context) => {
    const ports = given[PORTS];
    const [first = 0, last = 0] = Array.isArray(ports) ? ports : [];
    if (ports !== undefined && last - first < LEAST_PORTS)
      context.addIssue({
        code: 'custom',
        path: ['settings', PORTS],
        message: `expected at least ${LEAST_PORTS} ports: each connection that goes out takes one`,
      });
    for (const family of ['ipv4', 'ipv6']) {
      const [first, second, third] = [1, 2, 3].map((n) => given[`net.${family}.neigh.default.gc_thresh${n}`]);
      if (!rises(first, second) || !rises(second, third) || !rises(first, third))
        context.addIssue({
          code: 'custom',
          path: ['settings'],
          message: `expected net.${family}.neigh.default.gc_thresh1 to 3 not to fall`,
        });
    }
  });

/** Keys are told by the allow-list, not by the type: it is data. */
export type Sysctls = DeepReadonly<z.infer<typeof sysctlsSchema>>;

function numberOf({ least, most, numbers }: AllowedSysctl): z.ZodType<SysctlValue> {
  const number = z.int().min(least).max(most);
  if (numbers === undefined) return number;
  return z
    .array(number)
    .length(numbers)
    .refine(
      (all) => all.every((each, index) => index === 0 || (all[index - 1] ?? 0) <= each),
      'expected numbers that do not fall',
    );
}

/** An unknown key is told by the strict object; one that people look for is told with its reason. */
function explained<S extends z.ZodType>(schema: S): S {
  return refusedSysctls.reduce<S>(
    (so, { key, why }) =>
      so.refine(() => false, {
        path: [key],
        message: `${key} may not be changed: ${why}`,
        when: ({ issues }) =>
          issues.some((issue) => issue.code === 'unrecognized_keys' && issue.keys.includes(key)),
      }) as S,
    schema,
  );
}

function rises(a: SysctlValue | undefined, b: SysctlValue | undefined): boolean {
  return typeof a !== 'number' || typeof b !== 'number' || a <= b;
}
