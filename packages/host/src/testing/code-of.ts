import { PlinthError } from '@plinth/base';

/** codeOf gives the code a piece of work is refused with: "ok" when it is not, the words of an error that has no code. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (reason) {
    return reason instanceof PlinthError ? reason.code : String(reason);
  }
}
