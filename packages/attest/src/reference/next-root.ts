/** How the text begins that plinth-nextroot.service measures into PCR 15 when a soft-reboot goes to another root. */
export const NEXT_ROOT = 'plinth-nextroot:';
