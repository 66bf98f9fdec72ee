export type { Opening } from './openings.ts';
export { nextOpenings, openSeconds, type Schedule, scheduleOf, whenWorked } from './schedule.ts';
