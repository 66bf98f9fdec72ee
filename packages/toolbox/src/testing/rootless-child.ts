/** Started by the test as another user: makes a toolbox, runs in it, and prints what it found as JSON. */
import { openPackageStore } from '@plinth/debian';
import { openToolbox } from '../index.ts';

const [lockDir = '', storeRoot = '', cacheRoot = ''] = process.argv.slice(2);
const toolbox = await openToolbox({ lockDir, cacheRoot, store: openPackageStore(storeRoot) });
const { stdout } = await toolbox.run('sh', ['-c', 'id -u; touch /usr/x 2>/dev/null; echo $?']);
console.log(JSON.stringify({ isolation: toolbox.isolation, lines: stdout.toString().trim().split('\n') }));
