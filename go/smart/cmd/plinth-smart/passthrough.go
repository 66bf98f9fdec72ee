package main

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// registers are those of an ATA command; at its end feature holds the error register and command the status.
type registers struct {
	command, feature, count, low, mid, high uint8
}

// Linux's SG_IO (scsi/sg.h) with ATA PASS-THROUGH (16) of SAT-4.
const (
	sgIo           = 0x2285
	sgFromDevice   = -3
	sgNoData       = -1
	sgTimeoutMs    = 10_000
	senseBytes     = 64
	passThrough16  = 0x85
	protocolNoData = 3 << 1
	protocolDataIn = 4 << 1
	extend         = 1 << 0
	checkCondition = 1 << 5
	fromDevice     = 1 << 3
	inBlocks       = 1 << 2
	lengthInCount  = 2

	scsiGood           = 0x00
	scsiCheckCondition = 0x02
	descriptorSense    = 0x72
	fixedSense         = 0x70
	senseHeaderBytes   = 8
	// Additional sense "ATA pass-through information available", with code 0.
	informationAvailable = 0x1d
	ataDescriptor        = 0x09
	ataDescriptorBytes   = 14
	statusError          = 1 << 0
	statusFault          = 1 << 5
)

// sgHeader is struct sg_io_hdr.
type sgHeader struct {
	interfaceID   int32
	direction     int32
	commandBytes  uint8
	maxSenseBytes uint8
	vectors       uint16
	dataBytes     uint32
	data          uint64
	command       uint64
	sense         uint64
	timeoutMs     uint32
	flags         uint32
	packID        int32
	_             uint32
	user          uint64
	status        uint8
	maskedStatus  uint8
	messageStatus uint8
	senseLength   uint8
	hostStatus    uint16
	driverStatus  uint16
	residual      int32
	durationMs    uint32
	info          uint32
	_             uint32
}

// passThrough is the sender of a disk that is open.
func passThrough(descriptor uintptr) sender {
	return func(asked registers, data []byte) (registers, error) {
		command := commandOf(asked, data != nil)
		var sense [senseBytes]byte
		var pin runtime.Pinner
		defer pin.Unpin()
		pin.Pin(&command)
		pin.Pin(&sense)
		header := sgHeader{
			interfaceID: 'S', direction: sgNoData, timeoutMs: sgTimeoutMs,
			commandBytes: uint8(len(command)), maxSenseBytes: senseBytes,
			command: address(&command[0]), sense: address(&sense[0]),
		}
		if data != nil {
			pin.Pin(&data[0])
			header.direction, header.dataBytes, header.data = sgFromDevice, uint32(len(data)), address(&data[0])
		}
		if err := ioctl(descriptor, sgIo, unsafe.Pointer(&header)); err != nil {
			return registers{}, err
		}
		if header.hostStatus != 0 {
			return registers{}, fmt.Errorf("its controller gives status %#x", header.hostStatus)
		}
		said := sense[:min(int(header.senseLength), senseBytes)]
		if data == nil {
			return ended(said)
		}
		return registers{}, received(header.status, said, uint32(len(data)), header.residual)
	}
}

func address(first *byte) uint64 {
	return uint64(uintptr(unsafe.Pointer(first)))
}

// commandOf is the CDB of a command. The registers at its end are asked for only where nothing is read: with data in they
// are those from before the transfer, at least with QEMU (its status still says that data is to come), and the kernel
// takes that for a failed command.
func commandOf(asked registers, reads bool) [16]byte {
	command := [16]byte{
		0: passThrough16, 1: protocolNoData, 2: checkCondition,
		4: asked.feature, 6: asked.count, 8: asked.low, 10: asked.mid, 12: asked.high, 14: asked.command,
	}
	if reads {
		command[1], command[2] = protocolDataIn, fromDevice|inBlocks|lengthInCount
	}
	if asked.command == ataReadLogExt {
		command[1] |= extend // its registers have sixteen bits
	}
	return command
}

// received says whether a command that reads ended well.
func received(status uint8, sense []byte, asked uint32, missing int32) error {
	switch {
	case status == scsiCheckCondition:
		// Some translators say of a good end too what they were not asked for.
		if _, err := ended(sense); err != nil {
			return err
		}
	case status != scsiGood:
		return fmt.Errorf("it gives status %#x", status)
	}
	if missing < 0 || uint32(missing) >= asked {
		return errors.New("it gave nothing")
	}
	return nil
}

// ended reads the registers from the sense data, which checkCondition asks for with each end, a good one too; kernels
// give them in either format.
func ended(sense []byte) (registers, error) {
	if len(sense) < senseHeaderBytes {
		return registers{}, errors.New("it does not say how the command ended")
	}
	var end registers
	switch sense[0] & 0x7f {
	case fixedSense:
		if len(sense) < 14 || sense[12] != 0 || sense[13] != informationAvailable {
			return registers{}, refused(sense[2])
		}
		end = registers{feature: sense[3], command: sense[4], count: sense[6], low: sense[9], mid: sense[10], high: sense[11]}
	case descriptorSense:
		ours := descriptorOf(sense)
		if ours == nil {
			return registers{}, refused(sense[1])
		}
		end = registers{feature: ours[3], count: ours[5], low: ours[7], mid: ours[9], high: ours[11], command: ours[13]}
	default:
		return registers{}, fmt.Errorf("it says how the command ended in an unknown form (%#x)", sense[0])
	}
	if end.command&(statusError|statusFault) != 0 {
		return registers{}, fmt.Errorf("it refuses the command (error register %#x)", end.feature)
	}
	return end, nil
}

// descriptorOf finds the descriptor "ATA Status Return", which others may stand before; nil when there is none.
func descriptorOf(sense []byte) []byte {
	for at := senseHeaderBytes; at+2 <= len(sense); at += 2 + int(sense[at+1]) {
		if sense[at] == ataDescriptor && at+ataDescriptorBytes <= len(sense) {
			return sense[at : at+ataDescriptorBytes]
		}
	}
	return nil
}

func refused(key uint8) error {
	return fmt.Errorf("it refuses the command (sense key %#x)", key&0xf)
}
