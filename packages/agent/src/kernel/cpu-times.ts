/** How all processors together have spent their time, in ticks. */
export interface CpuTimes {
  /** How many processors are online. */
  readonly count: number;
  readonly user: number;
  readonly system: number;
  readonly ioWait: number;
  readonly steal: number;
  readonly idle: number;
}

/** parseCpuTimes reads /proc/stat (proc_stat(5)); undefined for another shape. Time of guests is in that of programs already. */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const line = /^cpu +(\d+(?: \d+){6,})$/m.exec(text)?.[1];
  if (line === undefined) return undefined;
  const [user = 0, nice = 0, system = 0, idle = 0, ioWait = 0, irq = 0, softIrq = 0, steal = 0] = line
    .split(' ')
    .map(Number);
  const count = [...text.matchAll(/^cpu\d+ /gm)].length;
  return { count, user: user + nice, system: system + irq + softIrq, ioWait, steal, idle };
}
