import { listDir, readText, type Sys } from '../../sys/sys.ts';

const NET = '/sys/class/net';
const ETHERNET_MTU = 1500;

/** nodeMtu is the smallest packet size of the node's cards; pods must not send larger ones than all of them carry. */
export async function nodeMtu(sys: Pick<Sys, 'readFile' | 'readDir'>): Promise<number> {
  const sizes: number[] = [];
  for (const name of await listDir(sys, NET)) {
    // Links that are made of software have no device below them.
    if ((await listDir(sys, `${NET}/${name}/device`)).length === 0) continue;
    const size = Number(await readText(sys, `${NET}/${name}/mtu`));
    if (size >= 576) sizes.push(size);
  }
  return sizes.length === 0 ? ETHERNET_MTU : Math.min(...sizes);
}
