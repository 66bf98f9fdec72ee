package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// Loads of classic BPF that count from the network header (so they hold for every kind of link), and what the kernel
// itself says of a packet. From linux/filter.h.
const (
	fromNetwork  = 0xFFF00000 // SKF_NET_OFF
	loadProtocol = 0xFFFFF000 // SKF_AD_OFF + SKF_AD_PROTOCOL
	loadKind     = 0xFFFFF004 // + SKF_AD_PKTTYPE
	loadHardware = 0xFFFFF01C // + SKF_AD_HATYPE

	loadWord  = syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS
	loadHalf  = syscall.BPF_LD | syscall.BPF_H | syscall.BPF_ABS
	loadByte  = syscall.BPF_LD | syscall.BPF_B | syscall.BPF_ABS
	loadAfter = syscall.BPF_LD | syscall.BPF_H | syscall.BPF_IND
	headerLen = syscall.BPF_LDX | syscall.BPF_B | syscall.BPF_MSH
	ifEqual   = syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K
	ifBits    = syscall.BPF_JMP | syscall.BPF_JSET | syscall.BPF_K
	result    = syscall.BPF_RET | syscall.BPF_K

	etherIPv4 = 0x0800
	etherIPv6 = 0x86DD
	etherARP  = 0x0806

	protocolICMP   = 1
	protocolTCP    = 6
	protocolUDP    = 17
	protocolICMPv6 = 58
	protocolSCTP   = 132
)

// A filter of a person is short; the kernel takes 4096 instructions.
const mostTerms = 16

// step is one instruction and where it leads: "" to the next, matches or differs out of the test, else to that label.
type step struct {
	label   string
	code    uint16
	k       uint32
	yes, no string
}

const (
	matches = "matches"
	differs = "differs"
)

// compileFilter makes classic BPF of a filter's text: terms joined by "and". An empty text lets everything pass.
func compileFilter(text string, withoutPort uint16, snap uint32) ([]syscall.SockFilter, error) {
	all := assemble(loopbackOut(), true)
	words := strings.Fields(text)
	terms := 0
	for at := 0; at < len(words); {
		if terms > 0 {
			if words[at] != "and" {
				return nil, fmt.Errorf("filter: %q, expected \"and\"", words[at])
			}
			at++
		}
		negate := at < len(words) && words[at] == "not"
		if negate {
			at++
		}
		t, used, err := term(words[at:])
		if err != nil {
			return nil, err
		}
		at += used
		if terms++; terms > mostTerms {
			return nil, fmt.Errorf("filter: more than %d terms", mostTerms)
		}
		all = append(all, assemble(t, negate)...)
	}
	if withoutPort != 0 {
		all = append(all, assemble(port(withoutPort, protocolTCP), true)...)
	}
	return append(all, syscall.SockFilter{Code: result, K: snap}), nil
}

// term reads one term and tells how many words it has.
func term(words []string) ([]step, int, error) {
	argument := ""
	if len(words) > 1 {
		argument = words[1]
	}
	word := ""
	if len(words) > 0 {
		word = words[0]
	}
	switch word {
	case "tcp":
		return protocol(protocolTCP, protocolTCP), 1, nil
	case "udp":
		return protocol(protocolUDP, protocolUDP), 1, nil
	case "icmp":
		return protocol(protocolICMP, protocolICMPv6), 1, nil
	case "ip":
		return ether(etherIPv4), 1, nil
	case "ip6":
		return ether(etherIPv6), 1, nil
	case "arp":
		return ether(etherARP), 1, nil
	case "host":
		address, err := netip.ParseAddr(argument)
		if err != nil || address.Zone() != "" {
			return nil, 0, fmt.Errorf("filter: host %q, expected an address", argument)
		}
		return host(address.Unmap()), 2, nil
	case "port":
		number, err := strconv.ParseUint(argument, 10, 16)
		if err != nil || number == 0 {
			return nil, 0, fmt.Errorf("filter: port %q, expected 1 to 65535", argument)
		}
		return port(uint16(number), protocolTCP, protocolUDP, protocolSCTP), 2, nil
	case "":
		return nil, 0, fmt.Errorf("filter: it ends early, expected tcp, udp, icmp, arp, ip, ip6, host or port")
	}
	return nil, 0, fmt.Errorf("filter: %q, expected tcp, udp, icmp, arp, ip, ip6, host or port", word)
}

// loopbackOut tests for what goes out on the loopback: it shows each packet again when it comes in.
func loopbackOut() []step {
	return []step{
		{code: loadWord, k: loadHardware},
		{code: ifEqual, k: hardwareLoopback, no: differs},
		{code: loadWord, k: loadKind},
		{code: ifEqual, k: packetOutgoing, yes: matches, no: differs},
	}
}

func ether(kind uint32) []step {
	return []step{
		{code: loadHalf, k: loadProtocol},
		{code: ifEqual, k: kind, yes: matches, no: differs},
	}
}

// protocol tests what a packet of IP carries; extension headers of IPv6 are not followed.
func protocol(v4, v6 uint32) []step {
	return []step{
		{code: loadHalf, k: loadProtocol},
		{code: ifEqual, k: etherIPv4, no: "6"},
		{code: loadByte, k: fromNetwork + 9},
		{code: ifEqual, k: v4, yes: matches, no: differs},
		{label: "6", code: ifEqual, k: etherIPv6, no: differs},
		{code: loadByte, k: fromNetwork + 6},
		{code: ifEqual, k: v6, yes: matches, no: differs},
	}
}

// port tests source and destination. A fragment beyond the first has no ports.
func port(number uint16, kinds ...uint32) []step {
	n := uint32(number)
	steps := []step{
		{code: loadHalf, k: loadProtocol},
		{code: ifEqual, k: etherIPv4, no: "6"},
		{code: loadByte, k: fromNetwork + 9},
	}
	steps = append(steps, oneOf(kinds, "ports4")...)
	steps = append(steps, []step{
		{label: "ports4", code: loadHalf, k: fromNetwork + 6},
		{code: ifBits, k: 0x1FFF, yes: differs},
		{code: headerLen, k: fromNetwork},
		{code: loadAfter, k: fromNetwork},
		{code: ifEqual, k: n, yes: matches},
		{code: loadAfter, k: fromNetwork + 2},
		{code: ifEqual, k: n, yes: matches, no: differs},
		{label: "6", code: ifEqual, k: etherIPv6, no: differs},
		{code: loadByte, k: fromNetwork + 6},
	}...)
	steps = append(steps, oneOf(kinds, "ports6")...)
	return append(steps, []step{
		{label: "ports6", code: loadHalf, k: fromNetwork + 40},
		{code: ifEqual, k: n, yes: matches},
		{code: loadHalf, k: fromNetwork + 42},
		{code: ifEqual, k: n, yes: matches, no: differs},
	}...)
}

// oneOf leads to a label when what was loaded is one of the values, and out of the test when not.
func oneOf(values []uint32, label string) []step {
	var steps []step
	for _, value := range values {
		steps = append(steps, step{code: ifEqual, k: value, yes: label})
	}
	steps[len(steps)-1].no = differs
	return steps
}

// host tests source and destination of IP, and who asks for whom in ARP.
func host(address netip.Addr) []step {
	bytes := address.AsSlice()
	if address.Is4() {
		n := binary.BigEndian.Uint32(bytes)
		return []step{
			{code: loadHalf, k: loadProtocol},
			{code: ifEqual, k: etherIPv4, no: "arp"},
			{code: loadWord, k: fromNetwork + 12},
			{code: ifEqual, k: n, yes: matches},
			{code: loadWord, k: fromNetwork + 16},
			{code: ifEqual, k: n, yes: matches, no: differs},
			{label: "arp", code: ifEqual, k: etherARP, no: differs},
			{code: loadWord, k: fromNetwork + 14},
			{code: ifEqual, k: n, yes: matches},
			{code: loadWord, k: fromNetwork + 24},
			{code: ifEqual, k: n, yes: matches, no: differs},
		}
	}
	steps := []step{
		{code: loadHalf, k: loadProtocol},
		{code: ifEqual, k: etherIPv6, no: differs},
	}
	steps = append(steps, words("source", fromNetwork+8, bytes, "destination")...)
	return append(steps, words("destination", fromNetwork+24, bytes, differs)...)
}

// words tests an address of IPv6, four bytes at a time.
func words(label string, offset uint32, bytes []byte, no string) []step {
	var steps []step
	for i := uint32(0); i < 16; i += 4 {
		steps = append(steps,
			step{code: loadWord, k: offset + i},
			step{code: ifEqual, k: binary.BigEndian.Uint32(bytes[i:]), no: no})
	}
	steps[0].label = label
	steps[len(steps)-1].yes = matches
	return steps
}

// assemble gives instructions that lead beyond their end when the packet may be kept, and refuse it otherwise.
func assemble(steps []step, negate bool) []syscall.SockFilter {
	places := map[string]int{differs: len(steps), matches: len(steps) + 1}
	if negate {
		places[differs], places[matches] = places[matches], places[differs]
	}
	for i, s := range steps {
		if s.label != "" {
			places[s.label] = i
		}
	}
	code := make([]syscall.SockFilter, 0, len(steps)+1)
	for i, s := range steps {
		jump := func(to string) uint8 {
			if to == "" {
				return 0
			}
			return uint8(places[to] - i - 1)
		}
		code = append(code, syscall.SockFilter{Code: s.code, Jt: jump(s.yes), Jf: jump(s.no), K: s.k})
	}
	return append(code, syscall.SockFilter{Code: result, K: 0})
}
