/** Does pieces of work one after the other, in the order they came. A piece that fails does not stop those behind it. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** inTurn is a queue of its own. */
export function inTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  };
}
