import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git, gitEnvironment } from './git.ts';

export interface CloneOptions {
  url: string;
  branch: string;
  /** Read for every command, so it may be renewed; sent as a header, which no process list shows. */
  token?: () => string;
  caFile?: string;
  /** Where the bare clone is kept; this process has it to itself. */
  directory: string;
  /** Who commits. */
  committer: { name: string; email: string };
  /** Tests use repositories on disk. */
  allowFiles?: boolean;
}

/**
 * These come before the repository's own, which say what to leave out of an archive and what to write otherwise than it
 * was committed: a checkout is to hold exactly the commit's bytes.
 */
const attributes = '* -export-ignore -export-subst -text -eol -crlf -ident -filter -working-tree-encoding\n';

/** A bare clone with the protected branch in it, fetched when asked. */
export class Clone {
  readonly options: CloneOptions;
  readonly tipRef: string;
  /** Commits that were found here since the last fetch: nothing else collects garbage. */
  readonly #here = new Set<string>();
  #made: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(options: CloneOptions) {
    this.options = options;
    this.tipRef = `refs/remotes/origin/${options.branch}`;
  }

  #environment(): Record<string, string> {
    const { url, token, caFile, committer, allowFiles } = this.options;
    const settings: [string, string][] = [
      ['user.name', committer.name],
      ['user.email', committer.email],
    ];
    if (allowFiles) settings.push(['protocol.file.allow', 'always']);
    if (caFile !== undefined) settings.push(['http.sslCAInfo', caFile]);
    if (token !== undefined) {
      const credentials = Buffer.from(`x-access-token:${token()}`).toString('base64');
      settings.push([`http.${url}.extraHeader`, `Authorization: Basic ${credentials}`]);
    }
    return gitEnvironment(settings);
  }

  async git(args: string[], input?: string | Uint8Array): Promise<string> {
    const { directory } = this.options;
    return git(directory, args, { env: this.#environment(), ...(input !== undefined && { input }) });
  }

  async has(commit: string): Promise<boolean> {
    if (this.#here.has(commit)) return true;
    try {
      await this.git(['cat-file', '-e', `${commit}^{commit}`]);
    } catch {
      return false;
    }
    this.#here.add(commit);
    return true;
  }

  /** Brings the protected branch up to date. Callers at the same time share one fetch that began after they called. */
  async fetch(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#fetchOnce().finally(() => (this.#running = undefined));
      return this.#running;
    }
    const begin = () => {
      this.#next = undefined;
      return this.fetch();
    };
    this.#next ??= this.#running.then(begin, begin);
    return this.#next;
  }

  async #fetchOnce(): Promise<void> {
    await this.#ready();
    await this.#fetchRef(`+refs/heads/${this.options.branch}:${this.tipRef}`);
  }

  async #fetchRef(refspec: string): Promise<void> {
    const options = ['--quiet', '--no-tags', '--no-write-fetch-head'];
    try {
      await this.git(['fetch', ...options, '--end-of-options', this.options.url, refspec]);
    } finally {
      this.#here.clear();
    }
  }

  /** Fetches another branch; undefined when there is none. */
  async fetchBranch(branch: string): Promise<string | undefined> {
    await this.#ready();
    const { url } = this.options;
    const found = await this.git(['ls-remote', '--end-of-options', url, `refs/heads/${branch}`]);
    const [sha] = found.split('\t');
    if (!sha) return undefined;
    await this.fetchCommit(sha);
    return sha;
  }

  /** Fetches a commit by its full hash, which forges hand out though no branch holds it any more. */
  fetchCommit(sha: string): Promise<void> {
    return this.#fetchRef(sha);
  }

  #ready(): Promise<void> {
    this.#made ??= this.#make().catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }

  /** A clone that a killed process left half-made has no HEAD, and is made again. */
  async #make(): Promise<void> {
    const { directory } = this.options;
    const whole = await this.git(['rev-parse', '--git-dir']).then(
      () => true,
      () => false,
    );
    if (!whole) {
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      await this.git(['init', '--quiet', '--bare', directory]);
    }
    await mkdir(join(directory, 'info'), { recursive: true });
    await writeFile(join(directory, 'info/attributes'), attributes);
  }
}
