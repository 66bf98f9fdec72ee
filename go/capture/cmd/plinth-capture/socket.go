package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Numbers of linux/if_packet.h, linux/if_arp.h and asm/socket.h that Go's syscall does not name.
const (
	optionStatistics = 6
	optionAuxdata    = 8
	optionTimestamp  = 35 // SO_TIMESTAMPNS
	vlanValid        = 0x10
	vlanKindValid    = 0x40
	hardwareEthernet = 1
	hardwareLoopback = 772
	packetOutgoing   = 4
	receiveBytes     = 4 << 20
)

// errNothing is no packet within a tenth of a second: time to look at the limits.
var errNothing = errors.New("no packet")

// packet is one that was received; data is valid until the next.
type packet struct {
	index        int
	hardwareType uint16
	// 1 in, 2 out
	direction uint32
	time      time.Time
	data      []byte
	// As it was before it was cut.
	length int
}

type packetSocket struct {
	fd      int
	index   int
	control []byte
	larger  []byte
}

// openSocket listens on an interface, on all when it has no name. The interface is not switched to promiscuous mode:
// what a node is to see reaches it without.
func openSocket(name string, filter []syscall.SockFilter) (*packetSocket, error) {
	// Protocol 0 receives nothing: no packet comes in before the filter stands.
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	s := &packetSocket{fd: fd, control: make([]byte, 256)}
	if name != "" {
		if s.index, err = s.indexOf(name); err != nil {
			return nil, fmt.Errorf("find the interface %q: %w", name, err)
		}
	}
	wait := syscall.Timeval{Usec: 100_000}
	err = errors.Join(
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &wait),
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, receiveBytes),
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, optionTimestamp, 1),
		syscall.SetsockoptInt(fd, syscall.SOL_PACKET, optionAuxdata, 1),
		syscall.AttachLsf(fd, filter),
	)
	if err != nil {
		return nil, fmt.Errorf("set up the packet socket: %w", err)
	}
	all := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, syscall.ETH_P_ALL))
	if err := syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: all, Ifindex: s.index}); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return s, nil
}

// receive gives the next packet, errNothing when none came for a moment.
func (s *packetSocket) receive(buffer []byte) (packet, error) {
	n, controlBytes, _, from, err := syscall.Recvmsg(s.fd, buffer, s.control, 0)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return packet{}, errNothing
	}
	if err != nil {
		return packet{}, fmt.Errorf("receive: %w", err)
	}
	address, ok := from.(*syscall.SockaddrLinklayer)
	if !ok {
		return packet{}, errNothing
	}
	p := packet{index: address.Ifindex, hardwareType: address.Hatype, direction: 1, time: time.Now()}
	if address.Pkttype == packetOutgoing {
		p.direction = 2
	}
	p.data, p.length = buffer[:n], n
	messages, err := syscall.ParseSocketControlMessage(s.control[:controlBytes])
	if err != nil {
		return p, nil
	}
	for _, m := range messages {
		switch {
		case m.Header.Level == syscall.SOL_SOCKET && m.Header.Type == optionTimestamp && len(m.Data) >= 16:
			seconds := int64(binary.NativeEndian.Uint64(m.Data))
			p.time = time.Unix(seconds, int64(binary.NativeEndian.Uint64(m.Data[8:])))
		case m.Header.Level == syscall.SOL_PACKET && m.Header.Type == optionAuxdata && len(m.Data) >= 20:
			p.length = int(binary.NativeEndian.Uint32(m.Data[4:]))
			s.restoreTag(&p, m.Data)
		}
	}
	return p, nil
}

// restoreTag puts a VLAN tag back that the kernel took out of the packet and tells of beside it.
func (s *packetSocket) restoreTag(p *packet, aux []byte) {
	status := binary.NativeEndian.Uint32(aux)
	if status&vlanValid == 0 || !isEthernet(p.hardwareType) || len(p.data) < 12 {
		return
	}
	kind := uint16(0x8100)
	if status&vlanKindValid != 0 {
		kind = binary.NativeEndian.Uint16(aux[18:])
	}
	s.larger = append(s.larger[:0], p.data[:12]...)
	s.larger = binary.BigEndian.AppendUint16(s.larger, kind)
	s.larger = binary.BigEndian.AppendUint16(s.larger, binary.NativeEndian.Uint16(aux[16:]))
	p.data = append(s.larger, p.data[12:]...)
	s.larger = p.data
	p.length += 4
}

// dropped tells how many packets the kernel had no room for.
func (s *packetSocket) dropped() uint32 {
	found := struct{ packets, dropped uint32 }{}
	size := uint32(unsafe.Sizeof(found))
	_, _, failure := syscall.Syscall6(syscall.SYS_GETSOCKOPT, uintptr(s.fd), syscall.SOL_PACKET, optionStatistics,
		uintptr(unsafe.Pointer(&found)), uintptr(unsafe.Pointer(&size)), 0)
	if failure != 0 {
		return 0
	}
	return found.dropped
}

// request is struct ifreq. Asking over the socket at hand needs no netlink, which the unit does not give.
type request struct {
	name  [syscall.IFNAMSIZ]byte
	value [24]byte
}

func (s *packetSocket) ask(what uintptr, r *request) error {
	if _, _, failure := syscall.Syscall(syscall.SYS_IOCTL, uintptr(s.fd), what, uintptr(unsafe.Pointer(r))); failure != 0 {
		return failure
	}
	return nil
}

func (s *packetSocket) indexOf(name string) (int, error) {
	r := request{}
	if len(name) >= len(r.name) {
		return 0, syscall.ENODEV
	}
	copy(r.name[:], name)
	err := s.ask(syscall.SIOCGIFINDEX, &r)
	return int(binary.NativeEndian.Uint32(r.value[:])), err
}

// nameOf gives the name of an interface, a made-up one when it is gone already.
func (s *packetSocket) nameOf(index int) string {
	r := request{}
	binary.NativeEndian.PutUint32(r.value[:], uint32(index))
	if s.ask(syscall.SIOCGIFNAME, &r) != nil {
		return fmt.Sprintf("interface %d", index)
	}
	end := 0
	for end < len(r.name) && r.name[end] != 0 {
		end++
	}
	return string(r.name[:end])
}

func (s *packetSocket) hardwareType(name string) uint16 {
	r := request{}
	copy(r.name[:], name)
	if err := s.ask(syscall.SIOCGIFHWADDR, &r); err != nil {
		fmt.Fprintf(os.Stderr, "plinth-capture: %s tells no kind: %s\n", name, err)
	}
	return binary.NativeEndian.Uint16(r.value[:])
}

func isEthernet(hardwareType uint16) bool {
	return hardwareType == hardwareEthernet || hardwareType == hardwareLoopback
}
