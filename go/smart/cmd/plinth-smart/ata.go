package main

import (
	"encoding/binary"
	"errors"
	"fmt"
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

// sender has a disk execute a command. What it reads fills data; without data the registers come back as they are at the
// end of the command.
type sender func(asked registers, data []byte) (registers, error)

func askATA(send sender) (*ataAnswer, error) {
	power, err := send(registers{command: ataCheckPowerMode}, nil)
	if err != nil {
		return nil, fmt.Errorf("it does not take commands of ATA: %w", err)
	}
	if power.count == powerStandby || power.count == powerStandbyOther {
		return nil, errors.New("it sleeps, and asking would wake it")
	}
	said := &ataAnswer{Identify: make([]byte, sectorBytes)}
	if _, err := send(registers{command: ataIdentify, count: 1}, said.Identify); err != nil {
		return nil, fmt.Errorf("it does not say what it is: %w", err)
	}
	if !hasSMART(said.Identify) {
		return said, nil
	}
	said.Values = readSMART(send, smartReadValues)
	said.Thresholds = readSMART(send, smartReadThresholds)
	status := registers{command: ataSMART, feature: smartReturnStatus, mid: smartMid, high: smartHigh}
	if returned, err := send(status, nil); err == nil {
		said.Passed = verdictOf(returned)
	}
	if hasLogs(said.Identify) {
		said.Endurance = readEndurance(send)
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
	return holds(identify, 83) && holds(identify, 87) && word(identify, 82)&word(identify, 85)&1 == 1
}

// General purpose logging, supported (word 84) and enabled (word 87).
func hasLogs(identify []byte) bool {
	const logging = 1 << 5
	return holds(identify, 84) && holds(identify, 87) && word(identify, 84)&word(identify, 87)&logging != 0
}

// holds says whether a word and those that belong to it were set by the disk: its upper bits are then 01.
func holds(identify []byte, index int) bool {
	return word(identify, index)>>14 == 1
}

func word(sector []byte, index int) uint16 {
	return binary.LittleEndian.Uint16(sector[2*index:])
}

func readSMART(send sender, feature uint8) []byte {
	sector := make([]byte, sectorBytes)
	asked := registers{command: ataSMART, feature: feature, count: 1, mid: smartMid, high: smartHigh}
	if _, err := send(asked, sector); err != nil {
		return nil
	}
	return sector
}

// readEndurance looks first whether there is such a page: a disk notes each command that it does not know as an error.
func readEndurance(send sender) []byte {
	sector := make([]byte, sectorBytes)
	if _, err := send(registers{command: ataReadLogExt, count: 1, low: logDirectory}, sector); err != nil {
		return nil
	}
	if word(sector, logStatistics) <= pageEndurance {
		return nil
	}
	page := make([]byte, sectorBytes)
	asked := registers{command: ataReadLogExt, count: 1, low: logStatistics, mid: pageEndurance}
	if _, err := send(asked, page); err != nil {
		return nil
	}
	return page
}
