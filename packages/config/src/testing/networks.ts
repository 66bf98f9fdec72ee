import fc from 'fast-check';

const hex = (value: number) => value.toString(16).padStart(2, '0');

/** What is set on the link of a number: each has networks of its own, so that any of them go together. */
const settings = fc
  .record({
    dhcp: fc.boolean(),
    four: fc.boolean(),
    six: fc.boolean(),
    host: fc.integer({ min: 2, max: 250 }),
    gateway: fc.constantFrom('none', 'four', 'link-local'),
    routes: fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 3 }),
    metric: fc.option(fc.integer({ min: 1, max: 4294967295 }), { nil: undefined }),
    dns: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 3 }),
    mtu: fc.option(fc.integer({ min: 1280, max: 1500 }), { nil: undefined }),
  })
  .map((drawn) => (link: number) => {
    const { host, four, six, routes, metric, dns, mtu } = drawn;
    const addresses = [
      ...(four ? [`10.${link}.0.${host}/16`] : []),
      ...(six ? [`fd00:${link + 1}::${host}/64`] : []),
    ];
    // A link has to have something to do.
    const dhcp = drawn.dhcp || addresses.length === 0;
    return {
      addresses,
      dhcp,
      dns,
      ...(drawn.gateway === 'four' && four && { gateway: `10.${link}.0.1` }),
      ...(drawn.gateway === 'link-local' && { gateway: 'fe80::1' }),
      routes: four
        ? routes.map((part) => ({
            destination: `172.16.${part}.0/24`,
            gateway: `10.${link}.0.1`,
            ...(metric !== undefined && { metric }),
          }))
        : [],
      ...(mtu !== undefined && { mtu }),
    };
  });

/** The links of a network document: cards, bonds of other cards, and VLANs on either. */
export const links = fc
  .record({
    cards: fc.array(settings, { maxLength: 3 }),
    bonds: fc.array(
      fc.record({
        settings,
        mode: fc.constantFrom('active-backup', '802.3ad'),
        members: fc.integer({ min: 1, max: 3 }),
      }),
      { maxLength: 2 },
    ),
    vlans: fc.array(fc.record({ settings, parent: fc.nat(), id: fc.integer({ min: 1, max: 1000 }) }), {
      maxLength: 3,
    }),
  })
  .map(({ cards, bonds, vlans }) => {
    const interfaces = cards.map((set, index) => ({ mac: `52:54:00:00:00:${hex(index)}`, ...set(index) }));
    const made = bonds.map(({ settings: set, mode, members }, index) => ({
      name: `bond${index}`,
      mode,
      members: Array.from({ length: members }, (_, at) => `52:54:00:01:${hex(index)}:${hex(at)}`),
      ...set(50 + index),
    }));
    const parents = [...interfaces.map(({ mac }) => mac), ...made.map(({ name }) => name)];
    const tagged = vlans.map(({ settings: set, parent, id }, index) => {
      const { mtu: _, ...rest } = set(100 + index);
      return {
        name: `vlan${index}`,
        id: id + index * 1000,
        parent: parents[parent % parents.length],
        ...rest,
      };
    });
    return { interfaces, bonds: made, vlans: parents.length > 0 ? tagged : [] };
  });
