// Makes packages/advisory/data/kernel-map-<series>.txt from an unpacked kernel source (Debian's linux-source package):
//   node tools/make-kernel-map.ts SOURCE-TREE VERSION
// Only Makefiles and #include lines are read and nothing is run. Each new series needs one; within a series the newest is enough.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { formatKernelMap } from '../packages/advisory/src/evidence/kernel/kernel-map.ts';
import { makeKernelMap } from '../packages/advisory/src/evidence/kernel/make-kernel-map.ts';
import { root } from './repo-files.ts';

const [tree = '', version = ''] = process.argv.slice(2);
if (!existsSync(join(tree, 'Kbuild')) || !/^\d+\.\d+(\.\d+)?$/.test(version)) {
  process.stderr.write('Usage: node tools/make-kernel-map.ts SOURCE-TREE VERSION\n');
  process.exit(2);
}
const files = makeKernelMap(
  {
    read: (path) => (isFile(path) ? readFileSync(join(tree, path), 'utf8') : undefined),
    exists: isFile,
    list: () =>
      readdirSync(tree, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(tree, join(entry.parentPath, entry.name)))
        .sort(),
  },
  'x86',
);
const series = version.split('.').slice(0, 2).join('.');
const output = join(root, 'packages/advisory/data', `kernel-map-${series}.txt`);
writeFileSync(output, formatKernelMap({ version, architecture: 'x86', files }));
process.stdout.write(`${output}: ${files.size} files\n`);

function isFile(path: string): boolean {
  return statSync(join(tree, path), { throwIfNoEntry: false })?.isFile() === true;
}
