/** What the programs of the image answered on a machine with two cards tied together, one of them configured. */
export const SYSTEMCTL_SHOW = `MainPID=128
Result=success
NRestarts=0
ExecMainCode=0
ExecMainStatus=0
ControlGroup=/system.slice/containerd.service
MemoryCurrent=[not set]
CPUUsageNSec=6004527000
TasksCurrent=[not set]
Id=containerd.service
Description=Container runtime
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
StateChangeTimestampMonotonic=26530241963

MainPID=0
Result=success
NRestarts=0
ExecMainCode=1
ExecMainStatus=0
ControlGroup=
MemoryCurrent=[not set]
CPUUsageNSec=9571000
TasksCurrent=[not set]
Id=systemd-modules-load.service
Description=Load Kernel Modules
LoadState=loaded
ActiveState=active
SubState=exited
UnitFileState=static
StateChangeTimestampMonotonic=26529602385
`;

export const IP_ADDR = `[{"ifindex":3,"link":"eth1","ifname":"eth0","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"9e:1a:58:61:21:b0","broadcast":"ff:ff:ff:ff:ff:ff","promiscuity":0,"allmulti":0,"min_mtu":68,"max_mtu":65535,"linkinfo":{"info_kind":"veth"},"num_tx_queues":2,"num_rx_queues":2,"gso_max_size":65536,"gso_max_segs":65535,"tso_max_size":524280,"tso_max_segs":65535,"gro_max_size":65536,"gso_ipv4_max_size":65536,"gro_ipv4_max_size":65536,"addr_info":[{"family":"inet","local":"192.0.2.7","prefixlen":24,"broadcast":"192.0.2.255","scope":"global","label":"eth0","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"fe80::9c1a:58ff:fe61:21b0","prefixlen":64,"scope":"link","protocol":"kernel_ll","valid_life_time":4294967295,"preferred_life_time":4294967295}],"stats64":{"rx":{"bytes":5994,"packets":75,"errors":0,"dropped":0,"over_errors":0,"multicast":0},"tx":{"bytes":10934,"packets":152,"errors":0,"dropped":0,"carrier_errors":0,"collisions":0}}}]`;

export const IP_ROUTES = `[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","protocol":"static","flags":[]},{"dst":"192.0.2.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"192.0.2.7","flags":[]},{"type":"local","dst":"127.0.0.0/8","dev":"lo","table":"local","protocol":"kernel","scope":"host","prefsrc":"127.0.0.1","flags":[]},{"type":"local","dst":"127.0.0.1","dev":"lo","table":"local","protocol":"kernel","scope":"host","prefsrc":"127.0.0.1","flags":[]},{"type":"broadcast","dst":"127.255.255.255","dev":"lo","table":"local","protocol":"kernel","scope":"link","prefsrc":"127.0.0.1","flags":[]},{"type":"local","dst":"192.0.2.7","dev":"eth0","table":"local","protocol":"kernel","scope":"host","prefsrc":"192.0.2.7","flags":[]},{"type":"broadcast","dst":"192.0.2.255","dev":"eth0","table":"local","protocol":"kernel","scope":"link","prefsrc":"192.0.2.7","flags":[]}]`;

export const IP_ROUTES_6 = `[{"dst":"fe80::/64","dev":"eth0","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"dst":"fe80::/64","dev":"eth1","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"type":"local","dst":"::1","dev":"lo","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"anycast","dst":"fe80::","dev":"eth0","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"anycast","dst":"fe80::","dev":"eth1","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"local","dst":"fe80::9c1a:58ff:fe61:21b0","dev":"eth0","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"local","dst":"fe80::d4a4:52ff:fe20:8b11","dev":"eth1","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"},{"type":"multicast","dst":"ff00::/8","dev":"eth0","table":"local","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"type":"multicast","dst":"ff00::/8","dev":"eth1","table":"local","protocol":"kernel","metric":256,"flags":[],"pref":"medium"}]`;

export const IP_NEIGH = `[{"dst":"192.0.2.123","dev":"eth0","state":["FAILED"]},{"dst":"fe80::9c1a:58ff:fe61:21b0","dev":"eth1","lladdr":"9e:1a:58:61:21:b0","state":["STALE"]}]`;

export const NETWORKCTL_STATUS = `{"Interfaces":[{"Index":3,"Name":"eth0","Kind":"veth","Type":"ether","Driver":"veth","Flags":69699,"FlagsString":"up,broadcast,running,multicast,lower-up","KernelOperationalState":6,"KernelOperationalStateString":"up","MTU":1500,"MinimumMTU":68,"MaximumMTU":65535,"AdministrativeState":"configured","OperationalState":"routable","CarrierState":"carrier","AddressState":"routable","IPv4AddressState":"routable","IPv6AddressState":"degraded","OnlineState":"online","NetworkFile":"/run/systemd/network/10-o1.network","NetworkFileDropins":[],"RequiredForOnline":true,"RequiredFamilyForOnline":"any","ActivationPolicy":"up","DNS":[{"Family":2,"Address":[192,0,2,53],"ConfigSource":"static"}],"NTP":[{"Family":2,"Address":[192,0,2,123],"ConfigSource":"runtime"}],"SearchDomains":[{"Domain":"example.org","ConfigSource":"static"}],"RouteDomains":[{"Domain":"corp.example","ConfigSource":"static"}],"DNSSettings":[{"LLMNR":"yes","ConfigSource":"static"},{"MDNS":"no","ConfigSource":"static"}],"Addresses":[{"Family":10,"Address":[254,128,0,0,0,0,0,0,156,26,88,255,254,97,33,176],"PrefixLength":64,"ConfigSource":"foreign","Scope":253,"ScopeString":"link","Flags":128,"FlagsString":"permanent","ConfigState":"configured"},{"Family":2,"Address":[192,0,2,7],"PrefixLength":24,"ConfigSource":"static","Broadcast":[192,0,2,255],"Scope":0,"ScopeString":"global","Flags":128,"FlagsString":"permanent","ConfigState":"configured"}]}]}`;

export const NETWORKCTL_LLDP = `{"Neighbors":[{"InterfaceIndex":3,"InterfaceName":"eth0","Neighbors":[{"ChassisID":"140ed41327fc4f28aa5299fe824baa6d","PortID":"eth1","RawPortID":[5,101,116,104,49],"SystemName":"plinth","EnabledCapabilities":128}]}]}`;

export const RESOLVE_MANAGER = `{"type":"a(iiayqs)","data":[[3,2,[192,0,2,53],0,""]]}
{"type":"(iiayqs)","data":[0,0,[],0,""]}
{"type":"a(isb)","data":[[3,"example.org",false],[3,"corp.example",true]]}
{"type":"s","data":"no"}
{"type":"b","data":false}
{"type":"s","data":"no"}
{"type":"s","data":"no"}
{"type":"s","data":"no"}
{"type":"s","data":"stub"}
{"type":"a(iiayqs)","data":[]}
{"type":"(tt)","data":[0,0]}
{"type":"(ttt)","data":[0,0,0]}
`;

export const RESOLVE_LINK = `{"type":"a(iayqs)","data":[[2,[192,0,2,53],0,""]]}
{"type":"(iayqs)","data":[0,[],0,""]}
{"type":"a(sb)","data":[["example.org",false],["corp.example",true]]}
{"type":"s","data":"no"}
{"type":"b","data":false}
{"type":"s","data":"no"}
{"type":"s","data":"no"}
{"type":"s","data":"no"}
`;

export const TIMESYNC = `{"type":"as","data":[]}
{"type":"as","data":[]}
{"type":"as","data":["192.0.2.123"]}
{"type":"as","data":["0.time.example.org","1.time.example.org","2.time.example.org","3.time.example.org"]}
{"type":"s","data":"192.0.2.123"}
{"type":"(iay)","data":[2,[192,0,2,123]]}
{"type":"t","data":2048000000}
{"type":"(uuuuittayttttbtt)","data":[0,0,0,0,0,0,0,[0,0,0,0],0,18444535084909551616,18444535084909551616,0,false,0,0]}
{"type":"x","data":0}
`;
