import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, PlinthError } from '@plinth/base';
import { hashText, ioError, removeTree } from '@plinth/host';
import {
  type Channel,
  channelFile,
  channelTarget,
  deadlinesFile,
  deadlinesTarget,
  parseChannel,
  parseDeadlines,
  parseManifest,
  REPOSITORY,
  REPOSITORY_LIMITS,
} from '@plinth/updates';
import { Updater } from 'tuf-js';

export interface VerifyServedOptions {
  /** Address of the repository: the folder above metadata/ and targets/. */
  readonly url: string;
  /** What is believed to begin with, as an image carries it. */
  readonly root: Uint8Array;
  readonly channels: readonly string[];
  /** Fetch and hash every file; else only what a node reads to decide. */
  readonly files: boolean;
  readonly signal?: AbortSignal;
}

/** One thing that was looked at. */
export interface RepositoryCheck {
  /** "metadata", "channel stable", a file's name. */
  readonly subject: string;
  readonly verdict: 'pass' | 'fail';
  readonly detail: string;
}

const TIMEOUT_MS = 30_000;

/**
 * verifyServed looks at a repository as a node would: over HTTP, from a trusted root, with the client of tuf-js. Files are held
 * against the metadata and against the manifest of their release.
 * @throws host/io when there is no place for what the client keeps; what is wrong with the repository is a check that failed
 */
export async function verifyServed(options: VerifyServedOptions): Promise<readonly RepositoryCheck[]> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-verify-')).catch((reason) =>
    Promise.reject(ioError(reason, 'make a folder for metadata')),
  );
  try {
    await writeFile(join(folder, 'root.json'), options.root);
    const checks: RepositoryCheck[] = [];
    const updater = new Updater({
      metadataDir: folder,
      metadataBaseUrl: `${options.url}/${REPOSITORY.metadata}`,
      config: { fetchTimeout: TIMEOUT_MS, fetchRetry: 0, targetsMaxLength: REPOSITORY_LIMITS.metadataBytes },
    });
    const walk = new RepositoryWalk(options, updater, checks);
    if (await walk.look('metadata', () => walk.refresh())) {
      for (const channel of options.channels) await walk.channel(channel);
    }
    return checks;
  } finally {
    await removeTree(folder);
  }
}

/** What was signed about a file. */
interface Signed {
  readonly length: number;
  readonly sha256: string;
}

class RepositoryWalk {
  readonly #options: VerifyServedOptions;
  readonly #updater: Updater;
  readonly #checks: RepositoryCheck[];
  readonly #seen = new Set<string>();

  constructor(options: VerifyServedOptions, updater: Updater, checks: RepositoryCheck[]) {
    this.#options = options;
    this.#updater = updater;
    this.#checks = checks;
  }

  /** Does one thing and notes how it ended; gives its result, or undefined when it failed. */
  async look<T>(subject: string, work: () => Promise<{ readonly detail: string; readonly value: T }>) {
    try {
      const { detail, value } = await work();
      this.#checks.push({ subject, verdict: 'pass', detail });
      return { value };
    } catch (reason) {
      if (this.#options.signal?.aborted) throw reason;
      this.#checks.push({ subject, verdict: 'fail', detail: messageOf(reason) });
      return undefined;
    }
  }

  async refresh() {
    await this.#updater.refresh();
    return { detail: 'signed by the keys of the root, and of today', value: true };
  }

  async channel(name: string): Promise<void> {
    const found = await this.look(`channel ${name}`, async () => {
      const target = await this.#signed(channelTarget(name));
      const text = await this.#fetchSmall(channelFile(name, target.sha256), target);
      const channel = parseChannel(text, channelTarget(name));
      if (channel.channel !== name) throw wrong(`it says to be ${channel.channel}`);
      return { detail: `versions offered: ${channel.releases.length}`, value: channel };
    });
    await this.#deadlines(name);
    for (const release of found?.value.releases ?? []) await this.#release(release);
  }

  /** A channel without any has no such target. */
  async #deadlines(name: string): Promise<void> {
    const target = deadlinesTarget(name);
    const info = await this.#updater.getTargetInfo(target).catch(() => undefined);
    if (!info) return;
    await this.look(target, async () => {
      const signed = await this.#signed(target);
      const text = await this.#fetchSmall(deadlinesFile(name, signed.sha256), signed);
      const { deadlines } = parseDeadlines(text, name);
      return { detail: `deadlines: ${deadlines.length}`, value: true };
    });
  }

  async #release({ version, manifest: name }: Channel['releases'][number]): Promise<void> {
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    const found = await this.look(name, async () => {
      const text = await this.#fetchSmall(name, await this.#signed(name));
      const manifest = parseManifest(text, name);
      if (manifest.version !== version) throw wrong(`it is of version ${manifest.version}`);
      for (const artefact of manifest.artefacts) {
        const target = await this.#signed(artefact.name);
        if (target.sha256 !== artefact.sha256) throw wrong(`${artefact.name} is signed as another file`);
      }
      return { detail: `all of its ${manifest.artefacts.length} files are signed`, value: manifest };
    });
    if (!this.#options.files) return;
    for (const artefact of found?.value.artefacts ?? []) {
      await this.look(artefact.name, async () => {
        await this.#requireContent(artefact.name, await this.#signed(artefact.name));
        return { detail: 'its bytes are those that were signed', value: true };
      });
    }
  }

  async #signed(name: string): Promise<Signed> {
    const target = await this.#updater.getTargetInfo(name);
    const sha256 = target?.hashes['sha256'];
    if (!target || sha256 === undefined) throw wrong(`${name} is not signed`);
    return { length: target.length, sha256 };
  }

  async #fetchSmall(path: string, { length, sha256 }: Signed): Promise<string> {
    if (length > REPOSITORY_LIMITS.channelBytes) throw wrong(`it has ${length} bytes`);
    const chunks: Buffer[] = [];
    await this.#read(path, length, (chunk) => chunks.push(Buffer.from(chunk)));
    const text = Buffer.concat(chunks).toString('utf8');
    if (hashText(text) !== sha256) throw wrong('it has other bytes than were signed');
    return text;
  }

  async #requireContent(path: string, { length, sha256 }: Signed): Promise<void> {
    const hash = createHash('sha256');
    await this.#read(path, length, (chunk) => hash.update(chunk));
    if (hash.digest('hex') !== sha256) throw wrong('it has other bytes than were signed');
  }

  /** Reads a file below targets/, of exactly this length. */
  async #read(path: string, length: number, take: (chunk: Uint8Array) => unknown): Promise<void> {
    const escaped = path.split('/').map(encodeURIComponent).join('/');
    const { signal } = this.#options;
    const timeout = AbortSignal.timeout(Math.max(TIMEOUT_MS, Math.ceil(length / 1000)));
    const response = await fetch(`${this.#options.url}/${REPOSITORY.targets}/${escaped}`, {
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    if (!response.ok || !response.body) throw wrong(`the server answers ${response.status}`);
    let received = 0;
    for await (const chunk of response.body) {
      received += chunk.length;
      if (received > length) break;
      take(chunk);
    }
    if (received !== length)
      throw wrong(`it has ${received > length ? 'more' : received} bytes, ${length} were signed`);
  }
}

function wrong(state: string): PlinthError {
  return new PlinthError('publish/repository-invalid', `Cannot accept it: ${state}`);
}
