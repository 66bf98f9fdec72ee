/** How systemd-networkd is asked, and told to read its files again. */
export const NETWORKCTL = '/usr/bin/networkctl';
