import { isCelError, run } from '@bufbuild/cel';
import { messageOf } from '@plinth/base';
import { type Answer, failed, passed, unknown } from '../answer.ts';

const INT64 = 2n ** 63n;

/**
 * evaluateCel asks one expression about one object. Anything but true and false, a field that is not there included, is "unknown". It takes
 * as long, and as much memory, as the expression has it do: call it where it can be ended (ask-cel.ts). Never throws.
 * @param text the object as JSON
 */
export function evaluateCel(expression: string, text: string): Answer {
  try {
    const object = JSON.parse(text, withIntegers) as { [key: string]: string };
    const value = run(expression, { object });
    if (isCelError(value)) return unknown('gate/not-asked', `the expression: ${value.message}`);
    if (value === true) return passed('the expression is true');
    if (value === false) return failed('the expression is false');
    return unknown('gate/not-asked', 'the expression is neither true nor false');
  } catch (reason) {
    return unknown('gate/not-asked', `the expression: ${messageOf(reason)}`);
  }
}

/** As in Kubernetes, a number that is written as an integer is an int: "object.spec.replicas + 1" adds two of a kind. */
function withIntegers(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== 'number' || source === undefined || !/^-?\d{1,19}$/.test(source)) return value;
  const whole = BigInt(source);
  return whole >= -INT64 && whole < INT64 ? whole : value;
}
