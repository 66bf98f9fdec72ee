/** What is on a drive is not what it has to be, or is more than is read. */
export class DriveProblem extends Error {
  constructor(state: string) {
    super(state);
    this.name = 'DriveProblem';
  }
}

/** The bytes of a drive. */
export interface ByteSource {
  /** Exactly so many bytes from a place on. Throws DriveProblem past the end or past the budget, and system errors. */
  read(offset: number, lengthBytes: number): Promise<Buffer>;
}

/** A file system as far as it is needed here: files by their path. */
export interface DriveFiles {
  /** Name of the volume. */
  readonly label: string;
  /** A file; undefined when there is none. Names are compared without regard to case. Throws as ByteSource, and DriveProblem. */
  readFile(path: readonly string[], limitBytes: number): Promise<Buffer | undefined>;
}

/** Largest folder that is read: some hundred names. */
export const FOLDER_LIMIT_BYTES = 64 * 1024;

/** What one drive may make this node read. */
const BUDGET = { bytes: 8 * 1024 * 1024, reads: 4_000 } as const;

/**
 * boundedSource lets a drive be read within a budget: a file system that leads in circles, or to itself, ends there.
 * @param readRange gives as many bytes as there are
 */
export function boundedSource(
  readRange: (offset: number, lengthBytes: number) => Promise<Buffer>,
  budget: { readonly bytes: number; readonly reads: number } = BUDGET,
): ByteSource {
  let [bytes, reads] = [0, 0];
  return {
    async read(offset, lengthBytes) {
      bytes += lengthBytes;
      reads++;
      if (!Number.isSafeInteger(offset) || offset < 0 || lengthBytes < 0)
        throw new DriveProblem('it leads to a place that no drive has');
      if (bytes > budget.bytes || reads > budget.reads)
        throw new DriveProblem(`more than ${budget.bytes} bytes have to be read for its few files`);
      const data = await readRange(offset, lengthBytes);
      if (data.length < lengthBytes) throw new DriveProblem('it ends before its own data');
      return data;
    },
  };
}

/** sameName compares names of files as DriveFiles does. */
export function sameName(found: string, wanted: string): boolean {
  return found.toLowerCase() === wanted.toLowerCase();
}

/** checkFileSize refuses a file before it is read. @throws DriveProblem */
export function checkFileSize(path: readonly string[], sizeBytes: number, limitBytes: number): void {
  if (sizeBytes > limitBytes)
    throw new DriveProblem(`${path.join('/')} has ${sizeBytes} bytes, expected at most ${limitBytes}`);
}
