import { ByteView, decodeText } from '../byte-view.ts';
import type { ElfLayout } from './elf-layout.ts';

export interface GoModule {
  readonly path: string;
  readonly version: string;
  /** "h1:…" of the module's files; absent for the main module and for local replacements. */
  readonly sum?: string;
  /** What was really compiled when a `replace` directive applies. */
  readonly replacedBy?: GoModule;
}

export interface GoBuildInfo {
  /** "go1.26.1". */
  readonly goVersion: string;
  /** Import path of the main package. */
  readonly path?: string;
  readonly main?: GoModule;
  readonly modules: readonly GoModule[];
  /** Build settings such as CGO_ENABLED, -trimpath, vcs.revision. */
  readonly settings: Readonly<Record<string, string>>;
}

const MAGIC = '\xff Go buildinf:';
const FLAG_INLINE = 2;
/** The module list is framed by two 16-byte marks that only the debugger needs. */
const MARK_BYTES = 16;
const TEXT_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * readGoBuildInfo reads section .go.buildinfo in the inline form that Go 1.18 and later write
 * (Go's debug/buildinfo). Older programs carry pointers instead and give undefined.
 */
export function readGoBuildInfo({ view, sections }: ElfLayout): GoBuildInfo | undefined {
  const section = sections.find(({ name, hasBytes }) => name === '.go.buildinfo' && hasBytes);
  if (!section) return undefined;
  const inside = new ByteView(view.slice(section.offset, section.sizeBytes), { what: view.what });
  const magic = Buffer.from(inside.slice(0, MAGIC.length)).toString('latin1');
  if (magic !== MAGIC)
    throw view.fault('formats/elf-invalid', 'its .go.buildinfo has no magic, expected one');
  if ((inside.u8(15) & FLAG_INLINE) === 0) return undefined;

  const version = readText(inside, 32);
  const framed = readText(inside, version.end);
  const list =
    framed.bytes.length >= 2 * MARK_BYTES ? framed.bytes.subarray(MARK_BYTES, -MARK_BYTES) : undefined;
  return { goVersion: decodeText(version.bytes), ...parseModuleList(list ? decodeText(list) : '') };
}

/** A text after its length as a base-128 varint. */
function readText(view: ByteView, offset: number): { readonly bytes: Uint8Array; readonly end: number } {
  let lengthBytes = 0;
  let at = offset;
  for (let shift = 0; ; shift += 7) {
    const byte = view.u8(at++);
    lengthBytes += (byte & 0x7f) * 2 ** shift;
    if (lengthBytes > TEXT_LIMIT_BYTES) {
      throw view.fault(
        'formats/limit',
        `a Go build text of ${lengthBytes} bytes, expected at most ${TEXT_LIMIT_BYTES}`,
      );
    }
    if (byte < 0x80) break;
  }
  return { bytes: view.slice(at, lengthBytes), end: at + lengthBytes };
}

/** Lines of tab-separated fields: path, mod, dep, "=>" (replaces the line before it), build. */
function parseModuleList(text: string): Omit<GoBuildInfo, 'goVersion'> {
  let path: string | undefined;
  let main: GoModule | undefined;
  const modules: GoModule[] = [];
  const settings: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [kind, ...fields] = line.split('\t');
    if (kind === 'path') path = fields[0];
    else if (kind === 'mod') main = moduleOf(fields);
    else if (kind === 'dep') modules.push(moduleOf(fields));
    else if (kind === '=>') {
      const replaced = modules.pop();
      if (replaced) modules.push({ ...replaced, replacedBy: moduleOf(fields) });
    } else if (kind === 'build') {
      const setting = fields.join('\t');
      const equals = setting.indexOf('=');
      if (equals > 0) settings[setting.slice(0, equals)] = setting.slice(equals + 1);
    }
  }
  return { ...(path === undefined ? {} : { path }), ...(main ? { main } : {}), modules, settings };
}

function moduleOf([path = '', version = '', sum = '']: readonly string[]): GoModule {
  return { path, version, ...(sum === '' ? {} : { sum }) };
}
