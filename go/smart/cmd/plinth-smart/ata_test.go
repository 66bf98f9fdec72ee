package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// fakeDisk answers as the emulated SATA disk of QEMU does, or as a disk that differs from it in what a test sets.
type fakeDisk struct {
	powerMode  uint8
	words      map[int]uint16
	mid, high  uint8
	directory  []byte
	statistics []byte
	asked      []registers
}

// The attributes that QEMU gives: id, flags, current, worst, raw, threshold.
var attributes = [][12]byte{
	{1, 3, 0, 100, 100, 0, 0, 0, 0, 0, 0, 6},
	{3, 3, 0, 100, 100, 0x16, 0, 0, 0, 0, 0, 0},
	{4, 2, 0, 100, 100, 0x64, 0, 0, 0, 0, 0, 0x14},
	{5, 3, 0, 100, 100, 0, 0, 0, 0, 0, 0, 0x24},
	{9, 3, 0, 100, 100, 0, 0, 0, 0, 0, 0, 0},
	{12, 3, 0, 100, 100, 0, 0, 0, 0, 0, 0, 0},
	{190, 3, 0, 69, 69, 31, 0, 31, 31, 0, 0, 50},
}

func emulated() *fakeDisk {
	return &fakeDisk{
		powerMode: 0xff,
		words:     map[int]uint16{82: 0x4021, 83: 0x7400, 84: 0x4000, 85: 0x4021, 86: 0x3400, 87: 0x4000},
		mid:       smartMid, high: smartHigh,
	}
}

func (disk *fakeDisk) send(asked registers, data []byte) (registers, error) {
	disk.asked = append(disk.asked, asked)
	isSMART := asked.command == ataSMART && asked.mid == smartMid && asked.high == smartHigh
	switch {
	case asked.command == ataCheckPowerMode && data == nil:
		return registers{count: disk.powerMode, command: 0x50}, nil
	case isSMART && asked.feature == smartReturnStatus && data == nil:
		return registers{mid: disk.mid, high: disk.high, command: 0x50}, nil
	case asked.command == ataIdentify && len(data) == sectorBytes:
		for index, word := range disk.words {
			binary.LittleEndian.PutUint16(data[2*index:], word)
		}
	case isSMART && asked.feature == smartReadValues && len(data) == sectorBytes:
		data[0] = 1
		for index, one := range attributes {
			copy(data[2+12*index:], one[:11])
		}
	case isSMART && asked.feature == smartReadThresholds && len(data) == sectorBytes:
		data[0] = 1
		for index, one := range attributes {
			data[2+12*index], data[3+12*index] = one[0], one[11]
		}
	case asked.command == ataReadLogExt && asked.low == logDirectory && disk.directory != nil:
		copy(data, disk.directory)
	case asked.command == ataReadLogExt && asked.low == logStatistics && asked.mid == pageEndurance && disk.statistics != nil:
		copy(data, disk.statistics)
	default:
		return registers{}, errors.New("it refuses the command (error register 0x4)")
	}
	return registers{}, nil
}

func TestAnEmulatedDiskSaysAllItHas(t *testing.T) {
	disk := emulated()
	said, err := askATA(disk.send)
	if err != nil {
		t.Fatal(err)
	}
	if said.Passed == nil || !*said.Passed {
		t.Error("its verdict did not come")
	}
	if !bytes.Equal(said.Values[2+12*6:][:11], attributes[6][:11]) || said.Thresholds[3+12*3] != 0x24 {
		t.Error("its attributes did not come as it gave them")
	}
	if said.Endurance != nil {
		t.Error("it has no logs and was asked for one")
	}
	for _, asked := range disk.asked {
		if asked.command == ataReadLogExt {
			t.Error("a disk notes a command that it does not know as an error")
		}
	}
}

func TestADiskThatExpectsToFail(t *testing.T) {
	disk := emulated()
	disk.mid, disk.high = failingMid, failingHigh
	if said, err := askATA(disk.send); err != nil || said.Passed == nil || *said.Passed {
		t.Errorf("%+v, %v", said, err)
	}
	disk.mid, disk.high = 0, 0
	if said, err := askATA(disk.send); err != nil || said.Passed != nil {
		t.Errorf("registers that say neither are a verdict: %+v, %v", said, err)
	}
}

func TestASleepingDiskIsLeftAsleep(t *testing.T) {
	for _, mode := range []uint8{powerStandby, powerStandbyOther} {
		disk := emulated()
		disk.powerMode = mode
		_, err := askATA(disk.send)
		if err == nil || !strings.Contains(err.Error(), "sleeps") || len(disk.asked) != 1 {
			t.Errorf("mode %#x: %v after %d commands", mode, err, len(disk.asked))
		}
	}
}

func TestWhereSMARTIsOffOrUnknownItIsNotAsked(t *testing.T) {
	for _, words := range []map[int]uint16{
		{82: 0x4021, 83: 0x7400, 85: 0x4020, 87: 0x4000},
		{82: 0x4020, 83: 0x7400, 85: 0x4021, 87: 0x4000},
		{82: 0xffff, 83: 0xffff, 85: 0xffff, 87: 0xffff},
		{},
	} {
		disk := emulated()
		disk.words = words
		said, err := askATA(disk.send)
		if err != nil || said.Values != nil || said.Passed != nil || len(disk.asked) != 2 {
			t.Errorf("%v: %+v, %v after %d commands", words, said, err, len(disk.asked))
		}
	}
}

func TestEnduranceIsReadWhereThePageIs(t *testing.T) {
	disk := emulated()
	disk.words[84], disk.words[87] = 0x4020, 0x4020
	disk.directory, disk.statistics = make([]byte, sectorBytes), make([]byte, sectorBytes)
	disk.statistics[2] = pageEndurance
	if said, err := askATA(disk.send); err != nil || said.Endurance != nil {
		t.Errorf("a directory without the page: %+v, %v", said, err)
	}
	disk.directory[2*logStatistics] = pageEndurance + 1
	if said, err := askATA(disk.send); err != nil || !bytes.Equal(said.Endurance, disk.statistics) {
		t.Errorf("a directory with the page: %+v, %v", said, err)
	}
}

func TestADiskThatTakesNoCommands(t *testing.T) {
	refuse := func(registers, []byte) (registers, error) { return registers{}, errors.New("operation not permitted") }
	if _, err := askATA(refuse); err == nil || !strings.Contains(err.Error(), "does not take commands of ATA: operation") {
		t.Error(err)
	}
}
