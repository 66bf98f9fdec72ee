import type { RenderedFile } from '../../framework/kind.ts';
import { renderBond, renderInterface, renderMember, renderVlan } from './render-links.ts';
import { renderHosts, renderNtp, renderResolver } from './render-names.ts';
import type { Network } from './schema.ts';

/** Before 80-plinth.network, which asks for addresses on every card, and after the links of the pod network. */
const LINKS = '/etc/systemd/network/20-plinth-';

/**
 * renderNetwork turns the config into files for systemd-networkd, systemd-resolved and systemd-timesyncd, and
 * /etc/hosts. Each card, bond and VLAN has a file of its own.
 */
export function renderNetwork(network: Network | undefined): readonly RenderedFile[] {
  const { interfaces = [], bonds = [], vlans = [], dns, ntp, hosts = [] } = network ?? {};
  const on = (parent: string) => vlans.filter((vlan) => vlan.parent === parent).map(({ name }) => name);
  return [
    ...interfaces.map((each) =>
      file(`${LINKS}${plain(each.mac)}.network`, renderInterface(each, on(each.mac))),
    ),
    ...bonds.flatMap((each) => {
      const { network: links, device } = renderBond(each, on(each.name));
      return [
        file(`${LINKS}${each.name}.netdev`, device),
        file(`${LINKS}${each.name}.network`, links),
        ...each.members.map((mac) => file(`${LINKS}${plain(mac)}.network`, renderMember(mac, each.name))),
      ];
    }),
    ...vlans.flatMap((each) => {
      const { network: links, device } = renderVlan(each);
      return [file(`${LINKS}${each.name}.netdev`, device), file(`${LINKS}${each.name}.network`, links)];
    }),
    ...(dns ? [file('/etc/systemd/resolved.conf.d/20-plinth.conf', renderResolver(dns))] : []),
    ...(ntp ? [file('/etc/systemd/timesyncd.conf.d/20-plinth.conf', renderNtp(ntp))] : []),
    // Always: without it the config could not take back its names from the image's own file.
    file('/etc/hosts', renderHosts(hosts)),
  ];
}

/** All of them are read by services that are not root. */
function file(path: string, lines: readonly string[]): RenderedFile {
  return { path, mode: 0o644, text: `${lines.join('\n')}\n`, secret: false };
}

function plain(mac: string): string {
  return mac.replaceAll(':', '');
}
