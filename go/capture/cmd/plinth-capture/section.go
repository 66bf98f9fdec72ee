package main

import (
	"encoding/binary"
	"errors"
	"time"
)

// Blocks and options of pcapng (draft-ietf-opsawg-pcapng).
const (
	blockSection    = 0x0A0D0D0A
	blockInterface  = 1
	blockStatistics = 5
	blockPacket     = 6

	optionEnd     = 0
	optionComment = 1
)

const (
	linkEthernet = 1
	linkRaw      = 101
)

// A node with many pods has as many interfaces; the bound is against one that makes them without end.
const mostInterfaces = 4096

// section writes one section of pcapng, and never more than its limit.
type section struct {
	out        *queue
	most       limits
	filter     string
	interfaces map[int]uint32
	packets    uint64
	written    uint64
	// Packets that were left out because nobody read fast enough.
	dropped uint64
}

func newSection(out *queue, filter string, most limits) *section {
	s := &section{out: out, most: most, filter: filter, interfaces: map[int]uint32{}}
	body := binary.LittleEndian.AppendUint32(nil, 0x1A2B3C4D)
	body = binary.LittleEndian.AppendUint16(body, 1)
	body = binary.LittleEndian.AppendUint16(body, 0)
	body = binary.LittleEndian.AppendUint64(body, ^uint64(0)) // the length is not known
	body = option(body, 4, []byte("plinth-capture"))
	s.must(block(blockSection, option(body, optionEnd, nil)))
	return s
}

// must writes a small block that the rest cannot be read without.
func (s *section) must(b []byte) {
	s.written += uint64(len(b))
	s.out.put(b, true)
}

// interfaceOf describes an interface in the section before its first packet.
func (s *section) interfaceOf(socket *packetSocket, index int, hardwareType uint16) error {
	if _, known := s.interfaces[index]; known {
		return nil
	}
	if len(s.interfaces) >= mostInterfaces {
		return errors.New("there are too many interfaces")
	}
	link := uint16(linkRaw)
	if isEthernet(hardwareType) {
		link = linkEthernet
	}
	s.describe(index, socket.nameOf(index), link)
	return nil
}

func (s *section) describe(index int, name string, link uint16) {
	body := binary.LittleEndian.AppendUint16(nil, link)
	body = binary.LittleEndian.AppendUint16(body, 0)
	body = binary.LittleEndian.AppendUint32(body, uint32(s.most.snap))
	body = option(body, 2, []byte(name))
	body = option(body, 9, []byte{9}) // times in nanoseconds
	if s.filter != "" {
		body = option(body, 11, append([]byte{0}, s.filter...))
	}
	s.interfaces[index] = uint32(len(s.interfaces))
	s.must(block(blockInterface, option(body, optionEnd, nil)))
}

// add writes a packet; false when it would go beyond the limit. A packet nobody has room for is counted.
func (s *section) add(socket *packetSocket, p packet) bool {
	if s.interfaceOf(socket, p.index, p.hardwareType) != nil {
		s.dropped++
		return true
	}
	body := binary.LittleEndian.AppendUint32(make([]byte, 0, len(p.data)+64), s.interfaces[p.index])
	body = stamp(body, p.time)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(p.data)))
	body = binary.LittleEndian.AppendUint32(body, uint32(max(p.length, len(p.data))))
	body = pad(append(body, p.data...))
	body = option(body, 2, binary.LittleEndian.AppendUint32(nil, p.direction))
	b := block(blockPacket, option(body, optionEnd, nil))
	if s.written+uint64(len(b))+endBytes > s.most.bytes {
		return false
	}
	if !s.out.put(b, false) {
		s.dropped++
		return true
	}
	s.packets++
	s.written += uint64(len(b))
	return true
}

// end writes why and with what losses the section ended. Losses are counted for all interfaces together.
func (s *section) end(reason string, started time.Time, kernelDropped uint32) {
	dropped := s.dropped + uint64(kernelDropped)
	if len(s.interfaces) == 0 {
		s.describe(0, "any", linkRaw) // statistics belong to an interface
	}
	now := time.Now()
	body := stamp(binary.LittleEndian.AppendUint32(nil, 0), now)
	body = option(body, optionComment, []byte("ended: "+reason))
	body = option(body, 2, stamp(nil, started))
	body = option(body, 3, stamp(nil, now))
	body = option(body, 4, binary.LittleEndian.AppendUint64(nil, s.packets+dropped))
	body = option(body, 5, binary.LittleEndian.AppendUint64(nil, dropped))
	s.must(block(blockStatistics, option(body, optionEnd, nil)))
}

func stamp(b []byte, t time.Time) []byte {
	n := uint64(t.UnixNano())
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, uint32(n>>32)), uint32(n))
}

func block(kind uint32, body []byte) []byte {
	length := uint32(len(body) + 12)
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, length), kind)
	b = binary.LittleEndian.AppendUint32(b, length)
	return binary.LittleEndian.AppendUint32(append(b, body...), length)
}

func option(b []byte, code uint16, value []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return pad(append(b, value...))
}

func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
