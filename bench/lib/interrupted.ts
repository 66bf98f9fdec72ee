const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());

/** Aborted by Ctrl-C: what runs is ended and what was made for this run is removed. */
export const interrupted: AbortSignal = controller.signal;
