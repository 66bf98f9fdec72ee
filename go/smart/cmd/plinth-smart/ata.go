package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// Commands of ACS-3 (ATA Command Set); all of them read.
const (
	ataIdentify       = 0xec
	ataSMART          = 0xb0
	ataCheckPowerMode = 0xe5
	ataReadLogExt     = 0x2f

	smartReadValues     = 0xd0
	smartReadThresholds = 0xd1
	smartReturnStatus   = 0xda
	// What the registers hold with a command of SMART; with an answer of smartReturnStatus they mean "passed".
	smartMid, smartHigh     = 0x4f, 0xc2
	failingMid, failingHigh = 0xf4, 0x2c

	logDirectory      = 0x00
	logStatistics     = 0x04
	pageEndurance     = 7
	sectorBytes       = 512
	powerStandby      = 0x00
	powerStandbyOther = 0x01
)

type ataAnswer struct {
	Identify   []byte `json:"identify"`
	Values     []byte `json:"values,omitempty"`
	Thresholds []byte `json:"thresholds,omitempty"`
	Passed     *bool  `json:"passed,omitempty"`
	// The page "Solid State Device Statistics" of the device statistics.
	Endurance []byte `json:"endurance,omitempty"`
}

func askATA(descriptor uintptr) (*ataAnswer, error) {
	power, err := send(descriptor, registers{command: ataCheckPowerMode}, nil)
	if err != nil {
		return nil, fmt.Errorf("it does not take commands of ATA: %w", err)
	}
	if power.count == powerStandby || power.count == powerStandbyOther {
		return nil, errors.New("it sleeps, and asking would wake it")
	}
	said := &ataAnswer{Identify: make([]byte, sectorBytes)}
	if _, err := send(descriptor, registers{command: ataIdentify, count: 1}, said.Identify); err != nil {
		return nil, fmt.Errorf("it does not say what it is: %w", err)
	}
	if !hasSMART(said.Identify) {
		return said, nil
	}
	said.Values = readSMART(descriptor, smartReadValues)
	said.Thresholds = readSMART(descriptor, smartReadThresholds)
	status := registers{command: ataSMART, feature: smartReturnStatus, mid: smartMid, high: smartHigh}
	if returned, err := send(descriptor, status, nil); err == nil {
		said.Passed = verdictOf(returned)
	}
	if hasLogs(said.Identify) {
		said.Endurance = readEndurance(descriptor)
	}
	return said, nil
}

// verdictOf gives nil for registers that say neither: they did not come back as the disk set them.
func verdictOf(returned registers) *bool {
	passed := returned.mid == smartMid && returned.high == smartHigh
	failing := returned.mid == failingMid && returned.high == failingHigh
	if passed == failing {
		return nil
	}
	return &passed
}

// Words 82 and 85: supported, enabled. Nothing is enabled here: that would change the disk.
func hasSMART(identify []byte) bool {
	return word(identify, 82)&1 == 1 && word(identify, 85)&1 == 1
}

// General purpose logging, supported (word 84) and enabled (word 87).
func hasLogs(identify []byte) bool {
	const logging = 1 << 5
	return word(identify, 84)&word(identify, 87)&logging != 0
}

func word(sector []byte, index int) uint16 {
	return binary.LittleEndian.Uint16(sector[2*index:])
}

func readSMART(descriptor uintptr, feature uint8) []byte {
	sector := make([]byte, sectorBytes)
	asked := registers{command: ataSMART, feature: feature, count: 1, mid: smartMid, high: smartHigh}
	if _, err := send(descriptor, asked, sector); err != nil {
		return nil
	}
	return sector
}

// readEndurance looks first whether there is such a page: a disk notes each command that it does not know as an error.
func readEndurance(descriptor uintptr) []byte {
	sector := make([]byte, sectorBytes)
	if _, err := send(descriptor, registers{command: ataReadLogExt, count: 1, low: logDirectory}, sector); err != nil {
		return nil
	}
	if word(sector, logStatistics) <= pageEndurance {
		return nil
	}
	page := make([]byte, sectorBytes)
	asked := registers{command: ataReadLogExt, count: 1, low: logStatistics, mid: pageEndurance}
	if _, err := send(descriptor, asked, page); err != nil {
		return nil
	}
	return page
}

// registers are those of an ATA command; at its end feature holds the error register and command the status.
type registers struct {
	command, feature, count, low, mid, high uint8
}

// Linux's SG_IO (scsi/sg.h) with ATA PASS-THROUGH (16) of SAT-3.
const (
	sgIo            = 0x2285
	sgFromDevice    = -3
	sgNoData        = -1
	sgTimeoutMs     = 10_000
	senseBytes      = 64
	passThrough16   = 0x85
	protocolNoData  = 3 << 1
	protocolDataIn  = 4 << 1
	checkCondition  = 1 << 5
	fromDevice      = 1 << 3
	inBlocks        = 1 << 2
	lengthInCount   = 2
	descriptorSense = 0x72
	fixedSense      = 0x70
	// Additional sense "ATA pass-through information available", with code 0.
	informationAvailable = 0x1d
	ataDescriptor        = 0x09
	statusError          = 1 << 0
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

// send has a disk execute a command and gives the registers as they are at its end; data, if any, is what it reads.
func send(descriptor uintptr, asked registers, data []byte) (registers, error) {
	command := [16]byte{
		0: passThrough16, 1: protocolNoData, 2: checkCondition,
		4: asked.feature, 6: asked.count, 8: asked.low, 10: asked.mid, 12: asked.high, 14: asked.command,
	}
	if asked.command == ataReadLogExt {
		command[1] |= 1 // its registers have sixteen bits
	}
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
		command[1] = command[1]&1 | protocolDataIn
		command[2] |= fromDevice | inBlocks | lengthInCount
		header.direction, header.dataBytes, header.data = sgFromDevice, uint32(len(data)), address(&data[0])
	}
	if err := ioctl(descriptor, sgIo, unsafe.Pointer(&header)); err != nil {
		return registers{}, err
	}
	if header.hostStatus != 0 {
		return registers{}, fmt.Errorf("its controller gives status %#x", header.hostStatus)
	}
	return ended(sense[:min(int(header.senseLength), senseBytes)], header.residual == int32(header.dataBytes) && data != nil)
}

func address(first *byte) uint64 {
	return uint64(uintptr(unsafe.Pointer(first)))
}

// ended reads the registers from the sense data, which checkCondition asks for with each end, a good one too; kernels
// give them in either format.
func ended(sense []byte, nothingCame bool) (registers, error) {
	if nothingCame {
		return registers{}, errors.New("it gave nothing")
	}
	if len(sense) < 14 {
		return registers{}, errors.New("it does not say how the command ended")
	}
	var end registers
	switch header := 8; {
	case sense[0]&0x7f == fixedSense && sense[12] == 0 && sense[13] == informationAvailable:
		end = registers{feature: sense[3], command: sense[4], count: sense[6], low: sense[9], mid: sense[10], high: sense[11]}
	case sense[0]&0x7f == descriptorSense && len(sense) >= header+14 && sense[header] == ataDescriptor:
		ours := sense[header:]
		end = registers{feature: ours[3], count: ours[5], low: ours[7], mid: ours[9], high: ours[11], command: ours[13]}
	case sense[0]&0x7f == descriptorSense:
		return registers{}, fmt.Errorf("it refuses the command (sense key %#x)", sense[1]&0xf)
	default:
		return registers{}, fmt.Errorf("it refuses the command (sense key %#x)", sense[2]&0xf)
	}
	if end.command&statusError != 0 {
		return registers{}, fmt.Errorf("it refuses the command (error register %#x)", end.feature)
	}
	return end, nil
}
