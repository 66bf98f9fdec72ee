/** Where plinthd keeps what must survive a restart. */
export const SYSTEM_STATE = '/var/lib/plinth';
