import { type DocumentLimits, documentLimits, refuse } from '../../documents/read-text.ts';

/** An element that was read. Names are without their namespace prefix: no format here needs two of one name. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly elements: readonly XmlElement[];
  /** Text directly inside, references resolved; spaces between elements are part of it. */
  readonly text: string;
}

interface OpenElement {
  readonly qualified: string;
  readonly attributes: Record<string, string>;
  readonly elements: XmlElement[];
  text: string;
}

const NAME = /[A-Za-z_][\w.-]{0,99}(?::[A-Za-z_][\w.-]{0,99})?/y;
const SPACE = /[ \t\r\n]*/y;
const REFERENCES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
/** Also what XML 1.0 has no way to write: such a reference is not well-formed. */
const FORBIDDEN = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/**
 * readXml reads the part of XML 1.0 that advisories are written in: elements, attributes, text, CDATA and comments. A document
 * type is refused and with it every entity of its own, so nothing can expand and nothing outside is fetched; processing
 * instructions are refused but for the declaration. No recursion; depth and number of elements are bounded.
 * @param name what the document is called in errors
 * @throws advisory/document-refused
 */
export function readXml(text: string, name: string, limits: DocumentLimits = documentLimits): XmlElement {
  return new XmlReader(text, name, limits).read();
}

class XmlReader {
  readonly #text: string;
  readonly #name: string;
  readonly #limits: DocumentLimits;
  readonly #open: OpenElement[] = [];
  #root: XmlElement | undefined;
  #at = 0;
  #nodes = 0;

  constructor(text: string, name: string, limits: DocumentLimits) {
    if (text.length > limits.bytes)
      throw refuse(name, `it has ${text.length} characters`, `at most ${limits.bytes}`);
    this.#text = text.replaceAll('\r\n', '\n');
    this.#name = name;
    this.#limits = limits;
  }

  read(): XmlElement {
    const declaration = /^<\?xml [^<>?]{1,200}\?>/.exec(this.#text)?.[0];
    if (declaration !== undefined) {
      if (/encoding/.test(declaration) && !/encoding\s*=\s*["']utf-?8["']/i.test(declaration))
        throw this.#fail('another encoding', 'UTF-8');
      this.#at = declaration.length;
    }
    while (this.#at < this.#text.length) this.#readNext();
    if (this.#open.length > 0 || !this.#root)
      throw this.#fail('it ends inside an element', 'a whole document');
    return this.#root;
  }

  #readNext(): void {
    const isNext = (mark: string) => this.#text.startsWith(mark, this.#at);
    if (!isNext('<')) this.#readText();
    else if (isNext('<!--')) this.#readComment();
    else if (isNext('<![CDATA[')) this.#readCdata();
    else if (isNext('<!')) throw this.#fail('a document type', 'none: entities are not taken');
    else if (isNext('<?')) throw this.#fail('a processing instruction', 'none');
    else if (isNext('</')) this.#readEnd();
    else this.#readStart();
  }

  #readText(): void {
    const end = this.#indexOf('<');
    const raw = this.#text.slice(this.#at, end);
    this.#at = end;
    const current = this.#open.at(-1);
    if (current) current.text += this.#resolve(raw);
    else if (/[^ \t\r\n]/.test(raw)) throw this.#fail('text outside of an element', 'one element');
  }

  #readComment(): void {
    const end = this.#text.indexOf('-->', this.#at + 4);
    if (end < 0) throw this.#fail('a comment without end', 'a whole document');
    this.#at = end + 3;
  }

  #readCdata(): void {
    const end = this.#text.indexOf(']]>', this.#at);
    const current = this.#open.at(-1);
    if (end < 0 || !current) throw this.#fail('CDATA where none can be', 'CDATA inside an element');
    const raw = this.#text.slice(this.#at + 9, end);
    if (FORBIDDEN.test(raw)) throw this.#fail('a control character', 'text');
    current.text += raw;
    this.#at = end + 3;
  }

  #readStart(): void {
    this.#at++;
    this.#count();
    const element: OpenElement = { qualified: this.#match(NAME), attributes: {}, elements: [], text: '' };
    if (element.qualified === '') throw this.#fail('a tag without a name', 'an element');
    if (this.#root && this.#open.length === 0) throw this.#fail('a second element', 'one');
    this.#readAttributes(element);
    const isEmpty = this.#text[this.#at] === '/';
    if (isEmpty) this.#at++;
    if (this.#text[this.#at] !== '>') throw this.#fail('a tag that does not end', '">"');
    this.#at++;
    if (this.#open.length >= this.#limits.depth)
      throw this.#fail(`it nests deeper than ${this.#limits.depth}`, 'a flatter document');
    this.#open.push(element);
    if (isEmpty) this.#close();
  }

  #readAttributes(element: OpenElement): void {
    for (;;) {
      const space = this.#match(SPACE);
      const key = this.#match(NAME);
      if (key === '') return;
      this.#count();
      const quote = /[ \t\r\n]*=[ \t\r\n]*(["'])/y;
      quote.lastIndex = this.#at;
      const found = quote.exec(this.#text);
      const mark = found?.[1];
      if (space === '' || !found || mark === undefined)
        throw this.#fail('an attribute without value', 'name="value"');
      const start = this.#at + found[0].length;
      const end = this.#text.indexOf(mark, start);
      const raw = end < 0 ? '<' : this.#text.slice(start, end);
      if (raw.includes('<')) throw this.#fail('an attribute that does not end', 'name="value"');
      const local = key === 'xmlns' || key.startsWith('xmlns:') ? key : localName(key);
      if (Object.hasOwn(element.attributes, local))
        throw this.#fail('an attribute that is there twice', 'one');
      Object.defineProperty(element.attributes, local, {
        value: this.#resolve(raw.replaceAll(/[\t\r\n]/g, ' ')),
        enumerable: true,
      });
      this.#at = end + 1;
    }
  }

  #readEnd(): void {
    this.#at += 2;
    const name = this.#match(NAME);
    this.#match(SPACE);
    if (this.#text[this.#at] !== '>' || this.#open.at(-1)?.qualified !== name)
      throw this.#fail('an end tag of another element', 'elements inside each other');
    this.#at++;
    this.#close();
  }

  #close(): void {
    const done = this.#open.pop();
    if (!done) return;
    const { qualified, attributes, elements, text } = done;
    const element: XmlElement = { name: localName(qualified), attributes, elements, text };
    const parent = this.#open.at(-1);
    if (parent) parent.elements.push(element);
    else this.#root = element;
  }

  #resolve(raw: string): string {
    const text = raw.includes('&')
      ? raw.replaceAll(/&([^;&]{0,40})(;?)/g, (...found) => this.#reference(found))
      : raw;
    if (FORBIDDEN.test(text)) throw this.#fail('a control character', 'text');
    return text;
  }

  #reference([, body, end]: readonly unknown[]): string {
    const word = end === ';' && typeof body === 'string' ? body : '';
    const known = Object.hasOwn(REFERENCES, word) ? REFERENCES[word] : undefined;
    if (known !== undefined) return known;
    const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(word) ?? [];
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (!(code > 0 && code <= 0x10ffff) || (code >= 0xd800 && code < 0xe000))
      throw this.#fail('a reference to an entity', 'the five of XML, or a character');
    return String.fromCodePoint(code);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #indexOf(mark: string): number {
    const found = this.#text.indexOf(mark, this.#at);
    return found < 0 ? this.#text.length : found;
  }

  #count(): void {
    if (++this.#nodes > this.#limits.nodes)
      throw this.#fail(`it has more than ${this.#limits.nodes} elements and attributes`, 'fewer');
  }

  #fail(state: string, expected: string): Error {
    return refuse(this.#name, `${state} at character ${this.#at}`, expected);
  }
}

function localName(qualified: string): string {
  return qualified.slice(qualified.indexOf(':') + 1);
}

/** childrenOf gives the elements of a name directly inside another one. */
export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.elements.filter((child) => child.name === name) ?? [];
}

/** childOf gives the first of them. */
export function childOf(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((at, name) => childrenOf(at, name)[0], element);
}

/** textOf is the text of the element at a path of names; undefined when there is none. */
export function textOf(element: XmlElement | undefined, ...path: readonly string[]): string | undefined {
  return childOf(element, ...path)?.text;
}
