/** An account of the node, without anything secret. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly shell: string;
  /** closed: no password opens it; password: one does; open: none is asked for. */
  readonly entry: 'closed' | 'password' | 'open';
  /** Its password lies in /etc/passwd, which everybody reads. */
  readonly inTheOpen: boolean;
}

/** Programs that end at once: an account with one of them has no login shell. */
const NO_SHELLS: readonly string[] = ['/usr/sbin/nologin', '/sbin/nologin', '/usr/bin/false', '/bin/false'];

/**
 * parseAccounts joins /etc/passwd and /etc/shadow (passwd(5), shadow(5)). Of a password only whether there is one goes on.
 * An account without a line in /etc/shadow has its password field in /etc/passwd.
 */
export function parseAccounts(passwd: string, shadow: string): readonly Account[] {
  const hashes = new Map(
    shadow.split('\n').map((line) => {
      const [name = '', hash = ''] = line.split(':');
      return [name, hash] as const;
    }),
  );
  return passwd.split('\n').flatMap((line): Account[] => {
    const [name = '', own = '', uid = '', gid = '', , , shell = ''] = line.split(':');
    if (name === '' || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return [];
    const hash = own === 'x' ? (hashes.get(name) ?? '*') : own;
    // crypt(5): what begins with "!" or "*" is the hash of nothing.
    const entry = hash === '' ? 'open' : /^[!*]/.test(hash) ? 'closed' : 'password';
    const inTheOpen = own !== '' && own !== 'x' && !/^[!*]/.test(own);
    return [{ name, uid: Number(uid), gid: Number(gid), shell: shell.trim(), entry, inTheOpen }];
  });
}

/** A group of the node. */
export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** parseGroups reads /etc/group (group(5)). */
export function parseGroups(text: string): readonly Group[] {
  return text.split('\n').flatMap((line): Group[] => {
    const [name = '', , gid = '', members = ''] = line.split(':');
    if (name === '' || !/^\d+$/.test(gid)) return [];
    return [{ name, gid: Number(gid), members: members.split(',').filter((member) => member.trim() !== '') }];
  });
}

/** What accountFact looks at. */
export interface AccountTables {
  readonly accounts: readonly Account[];
  readonly groups: readonly Group[];
}

/** Kinds of facts about accounts, each the names that it is true of. */
const kinds: Readonly<Record<string, (tables: AccountTables) => readonly { readonly name: string }[]>> = {
  'uid-0': ({ accounts }) => accounts.filter(({ uid }) => uid === 0),
  'gid-0': ({ accounts }) => accounts.filter(({ gid }) => gid === 0),
  shell: ({ accounts }) => accounts.filter(({ shell }) => !NO_SHELLS.includes(shell)),
  password: ({ accounts }) => accounts.filter(({ entry }) => entry === 'password'),
  open: ({ accounts }) => accounts.filter(({ entry }) => entry === 'open'),
  unshadowed: ({ accounts }) => accounts.filter(({ inTheOpen }) => inTheOpen),
  twice: ({ accounts }) =>
    accounts.filter((one) =>
      accounts.some((other) => other !== one && (other.name === one.name || other.uid === one.uid)),
    ),
  'no-group': ({ accounts, groups }) =>
    accounts.filter((account) => !groups.some(({ gid }) => gid === account.gid)),
  'groups-gid-0': ({ groups }) => groups.filter(({ gid }) => gid === 0),
  'groups-twice': ({ groups }) =>
    groups.filter((one) =>
      groups.some((other) => other !== one && (other.name === one.name || other.gid === one.gid)),
    ),
  'shadow-members': ({ accounts, groups }) => {
    const shadow = groups.find(({ name }) => name === 'shadow');
    const inside = accounts.filter(({ gid }) => gid === shadow?.gid);
    return [...inside, ...(shadow?.members ?? []).map((name) => ({ name }))];
  },
};

/** isAccountFact tells whether there is such a kind of fact. */
export function isAccountFact(kind: string): boolean {
  return Object.hasOwn(kinds, kind);
}

/** accountFact gives the names that a kind of fact is true of. */
export function accountFact(kind: string, tables: AccountTables): readonly string[] {
  return (kinds[kind]?.(tables) ?? []).map(({ name }) => name);
}
