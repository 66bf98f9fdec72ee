import { readFile } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

export interface BundleScriptsOptions {
  /** Sources to begin with, by the name of the script that is made of each: { main: "/…/main.ts" } gives main.mjs. */
  readonly entryPoints: Readonly<Record<string, string>>;
  /** Receives the scripts. */
  readonly outDir: string;
  /**
   * Whether each source goes on to find files of the repository by its own place: as if the scripts lay in a folder right below
   * the repository's root. Who ships them ships those files at the same places beside that folder.
   */
  readonly keepPlaces?: boolean;
}

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * bundleScripts puts programs and all they import into one script each, which Node runs without any module beside it. The same
 * sources give the same bytes, wherever they lie.
 * @throws Error of esbuild: what is not there, or is no program
 */
export async function bundleScripts(options: BundleScriptsOptions): Promise<void> {
  await build({
    entryPoints: { ...options.entryPoints },
    outdir: options.outDir,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: REPOSITORY,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    // Packages that are CommonJS ask for parts of Node by require, which a module has not.
    banner: {
      js: "import { createRequire as plinthRequire } from 'node:module'; const require = plinthRequire(import.meta.url);",
    },
    legalComments: 'none',
    logLevel: 'silent',
    plugins: options.keepPlaces ? [placesOfSources] : [],
  });
}

/** Gives each source of the repository its own `import.meta.url` back, which in a script is that of the script. */
const placesOfSources: Plugin = {
  name: 'places-of-sources',
  setup: (building) => {
    building.onLoad({ filter: /[\\/]packages[\\/][^\\/]+[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const place = JSON.stringify(`../${relative(REPOSITORY, path).split(sep).join('/')}`);
      const text = await readFile(path, 'utf8');
      return {
        contents: text.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`),
        loader: 'ts',
      };
    });
  },
};
