import { exitCodes } from '@plinth/base';

/**
 * onInterrupt aborts the signal on the first Ctrl-C or SIGTERM, so that work stops at a clean point, and ends the
 * process at once on the second. Returns the signal and a function that gives the handlers back.
 */
export function onInterrupt(): {
  readonly signal: AbortSignal;
  readonly dispose: () => void;
} {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const name of signals) process.on(name, handle);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of signals) process.off(name, handle);
    },
  };
}
