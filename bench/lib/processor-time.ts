import { readFile } from 'node:fs/promises';

/** Clock ticks are 100 a second in every user-space interface of Linux (proc(5), USER_HZ). */
const MS_PER_TICK = 10;

/**
 * processorMs tells how much processor time a living process has used, all its threads together. Unlike the wall clock
 * it hardly changes when the computer is busy. Source: proc(5), /proc/PID/stat, fields 14 and 15.
 */
export async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The program name (field 2) may hold spaces and parentheses; the fields after its last ")" may not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}
