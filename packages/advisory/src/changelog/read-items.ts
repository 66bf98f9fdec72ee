/** One bullet of an entry with all its lines joined, as people read it. */
export interface ChangelogItem {
  /** The lines in one; a word that was broken at a hyphen is whole again. */
  readonly text: string;
  /** Where each character of `text` stands in the entry's text. */
  readonly offsets: readonly number[];
  /** Texts of the bullets above it, outermost first. */
  readonly above: readonly string[];
}

/** Bullets of one entry that are looked at; the largest real entry (a kernel's) has 2,400. */
const ITEM_LIMIT = 50_000;
const DEPTH_LIMIT = 12;

const BULLET = /^([ \t]*)(?:[*+•·~>-]|o|\d{1,3}[.)])(?:[ \t]+|$)/;

interface OpenItem {
  readonly indent: number;
  readonly above: readonly OpenItem[];
  text: string;
  readonly offsets: number[];
}

/** readItems divides the text of an entry into bullets with what stands above each of them. */
export function readItems(text: string): readonly ChangelogItem[] {
  const items: OpenItem[] = [];
  let open: OpenItem[] = [];
  let offset = 0;
  for (const line of text.split('\n')) {
    const bullet = BULLET.exec(line);
    const indent = widthOf(/^[ \t]*/.exec(line)?.[0] ?? '');
    const start = bullet ? bullet[0].length : line.length - line.trimStart().length;
    const content = line.slice(start).trimEnd();
    if (line.trim() === '' || isSignature(line)) open = [];
    else if (bullet || open.length === 0) {
      open = open.filter((above) => above.indent < indent).slice(0, DEPTH_LIMIT);
      const item: OpenItem = { indent, above: open, text: '', offsets: [] };
      append(item, content, offset + start);
      items.push(item);
      if (items.length >= ITEM_LIMIT) break;
      open = [...open, item];
    } else {
      // A line without a bullet goes on with the bullet that it stands further in than.
      const owner = open.findLast((above) => above.indent < indent) ?? open[0];
      if (owner) append(owner, content, offset + start);
    }
    offset += line.length + 1;
  }
  return items.map(({ text: joined, offsets, above }) => ({
    text: joined,
    offsets,
    above: above.map((parent) => parent.text),
  }));
}

/** "[ Jane Doe ]" names who wrote what follows. */
function isSignature(line: string): boolean {
  return /^\s{1,3}\[ [^\]]{1,100} \]\s*$/.test(line);
}

function append(item: OpenItem, content: string, offset: number): void {
  if (content === '') return;
  // "CVE-2024-" at the end of a line goes on with the digits below it; so does a file name after a slash or backslash.
  const joinsWord = /(?:(?:CVE|CAN|GHSA|DSA|TEMP)[-\w]*-|\\)$/i.test(item.text) && /^[\w-]/.test(content);
  if (joinsWord) {
    if (item.text.endsWith('\\')) {
      item.text = item.text.slice(0, -1);
      item.offsets.pop();
    }
  } else if (item.text !== '') {
    // The line break stays visible to the classifier as a break of its own kind.
    item.text += /^(?:Also )?(?:Closes|Fixes|LP|Addresses)\b/i.test(content) ? '\n' : ' ';
    item.offsets.push(offset);
  }
  item.text += content;
  for (let index = 0; index < content.length; index++) item.offsets.push(offset + index);
}

function widthOf(space: string): number {
  let width = 0;
  for (const character of space) width += character === '\t' ? 8 - (width % 8) : 1;
  return width;
}
