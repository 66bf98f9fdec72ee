/** What every object has. */
export interface Identified {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** @param version of the change: of what is now, of the deletion, or of the list that did not have it any more */
export type Heard<T> = (key: string, now: T | undefined, before: T | undefined, version: string) => void;

/**
 * Mirror is the objects of one kind as far as this process knows them: what a list and a watch said, and what its own writes were answered.
 * Versions of one object are compared as numbers, as Kubernetes allows since 1.35; whatever is older than what is known is not heard, in
 * whichever order it comes.
 */
export class Mirror<T extends Identified> {
  readonly #items = new Map<string, T>();
  readonly #heard: Heard<T>;
  /** Nothing up to this version can still be news. */
  #version = 0;

  constructor(heard: Heard<T>) {
    this.#heard = heard;
  }

  get items(): ReadonlyMap<string, T> {
    return this.#items;
  }

  /** A newer state of one object, by whatever way it came. @returns whether it was news */
  put(key: string, item: T): boolean {
    const before = this.#items.get(key);
    if (before ? isOlder(item, before) : Number(item.resourceVersion) <= this.#version) return false;
    this.#items.set(key, item);
    this.#heard(key, item, before, item.resourceVersion);
    return true;
  }

  /** The watch said that an object is gone. */
  drop(key: string, uid: string, resourceVersion: string): void {
    this.reach(resourceVersion);
    const before = this.#items.get(key);
    // Deleted and made anew: what is known may be the new one already.
    if (before === undefined || (uid !== '' && before.uid !== uid)) return;
    this.#items.delete(key);
    this.#heard(key, undefined, before, resourceVersion);
  }

  /** A whole list: what it does not have is gone, unless it is newer than the list. */
  replace(listed: ReadonlyMap<string, T>, resourceVersion: string): void {
    const version = Number(resourceVersion);
    for (const [key, before] of this.#items) {
      if (listed.has(key) || Number(before.resourceVersion) > version) continue;
      this.#items.delete(key);
      this.#heard(key, undefined, before, resourceVersion);
    }
    for (const [key, item] of listed) {
      const before = this.#items.get(key);
      if (before && isOlder(item, before)) continue;
      if (before?.uid === item.uid && before.resourceVersion === item.resourceVersion) continue;
      this.#items.set(key, item);
      this.#heard(key, item, before, item.resourceVersion);
    }
    this.reach(resourceVersion);
  }

  /** The watch has come this far. */
  reach(resourceVersion: string): void {
    const version = Number(resourceVersion);
    if (version > this.#version) this.#version = version;
  }
}

function isOlder(item: Identified, known: Identified): boolean {
  return Number(item.resourceVersion) < Number(known.resourceVersion);
}
