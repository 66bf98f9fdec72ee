package main

import (
	"encoding/hex"
	"strings"
	"testing"
	"unsafe"
)

// The kernel's layout of struct sg_io_hdr on machines of 64 bits.
func TestHeaderIsThatOfTheKernel(t *testing.T) {
	var header sgHeader
	for name, at := range map[string][2]uintptr{
		"size":      {unsafe.Sizeof(header), 88},
		"vectors":   {unsafe.Offsetof(header.vectors), 10},
		"data":      {unsafe.Offsetof(header.data), 16},
		"timeout":   {unsafe.Offsetof(header.timeoutMs), 40},
		"user":      {unsafe.Offsetof(header.user), 56},
		"status":    {unsafe.Offsetof(header.status), 64},
		"sense":     {unsafe.Offsetof(header.senseLength), 67},
		"host":      {unsafe.Offsetof(header.hostStatus), 68},
		"residual":  {unsafe.Offsetof(header.residual), 72},
		"info":      {unsafe.Offsetof(header.info), 80},
		"nvme":      {unsafe.Sizeof(nvmeCommand{}), 72},
		"nvme data": {unsafe.Offsetof(nvmeCommand{}.address), 24},
		"word 10":   {unsafe.Offsetof(nvmeCommand{}.word10), 40},
		"time":      {unsafe.Offsetof(nvmeCommand{}.timeoutMs), 64},
	} {
		if at[0] != at[1] {
			t.Errorf("%s is %d, expected %d", name, at[0], at[1])
		}
	}
}

// Commands as SAT-4 lays them out (ATA PASS-THROUGH (16), table of the CDB), registers as ACS-3 has them.
func TestCommands(t *testing.T) {
	for name, one := range map[string]struct {
		asked registers
		reads bool
		bytes string
	}{
		"check power mode": {registers{command: ataCheckPowerMode}, false, "85 06 20 00 00 00 00 00 00 00 00 00 00 00 e5 00"},
		"identify":         {registers{command: ataIdentify, count: 1}, true, "85 08 0e 00 00 00 01 00 00 00 00 00 00 00 ec 00"},
		"smart read data": {
			registers{command: ataSMART, feature: smartReadValues, count: 1, mid: smartMid, high: smartHigh}, true,
			"85 08 0e 00 d0 00 01 00 00 00 4f 00 c2 00 b0 00",
		},
		"smart return status": {
			registers{command: ataSMART, feature: smartReturnStatus, mid: smartMid, high: smartHigh}, false,
			"85 06 20 00 da 00 00 00 00 00 4f 00 c2 00 b0 00",
		},
		"read log ext": {
			registers{command: ataReadLogExt, count: 1, low: logStatistics, mid: pageEndurance}, true,
			"85 09 0e 00 00 00 01 00 04 00 07 00 00 00 2f 00",
		},
	} {
		command := commandOf(one.asked, one.reads)
		if got := hex.EncodeToString(command[:]); got != strings.ReplaceAll(one.bytes, " ", "") {
			t.Errorf("%s is %s, expected %s", name, got, one.bytes)
		}
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	bytes, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// Sense data as kernels give it: descriptors (libata at a good end), fixed (libata at an error), others before ours.
func TestEnds(t *testing.T) {
	active := registers{count: 0xff, command: 0x50}
	passed := registers{mid: smartMid, high: smartHigh, command: 0x50}
	for name, one := range map[string]struct {
		sense  string
		end    registers
		reason string
	}{
		"active, descriptor": {"72 01 00 1d 00 00 00 0e 09 0c 00 00 00 ff 00 00 00 00 00 00 00 50", active, ""},
		"passed, descriptor": {"72 01 00 1d 00 00 00 0e 09 0c 00 00 00 00 00 00 00 4f 00 c2 00 50", passed, ""},
		"passed, after another descriptor": {
			"72 01 00 1d 00 00 00 1a 00 0a 80 00 00 00 00 00 00 00 00 00 09 0c 00 00 00 00 00 00 00 4f 00 c2 00 50", passed, "",
		},
		"active, fixed":       {"f0 00 01 00 50 00 ff 0a 00 00 00 00 00 1d 00 00 00 00", active, ""},
		"aborted, descriptor": {"72 0b 00 00 00 00 00 0e 09 0c 00 04 00 00 00 00 00 00 00 00 00 51", registers{}, "error register 0x4"},
		"faulty, descriptor":  {"72 04 44 00 00 00 00 0e 09 0c 00 00 00 00 00 00 00 00 00 00 00 70", registers{}, "error register 0x0"},
		"aborted, fixed":      {"f0 00 0b 04 51 00 00 0a 00 00 00 00 00 00 00 00 00 00", registers{}, "sense key 0xb"},
		"refused by a bridge": {"70 00 05 00 00 00 00 0a 00 00 00 00 20 00 00 00 00 00", registers{}, "sense key 0x5"},
		"refused, descriptor": {"72 05 20 00 00 00 00 00", registers{}, "sense key 0x5"},
		"cut short":           {"72 01 00 1d 00 00 00 0e 09 0c 00 00", registers{}, "sense key 0x1"},
		"nothing":             {"", registers{}, "does not say how"},
		"of another kind":     {"00 00 00 00 00 00 00 00 00 00 00 00 00 00", registers{}, "unknown form"},
	} {
		end, err := ended(unhex(t, one.sense))
		if one.reason == "" && (err != nil || end != one.end) {
			t.Errorf("%s gives %+v, %v, expected %+v", name, end, err, one.end)
		}
		if one.reason != "" && (err == nil || !strings.Contains(err.Error(), one.reason)) {
			t.Errorf("%s gives %v, expected %q", name, err, one.reason)
		}
	}
}

func FuzzEnds(f *testing.F) {
	f.Add([]byte{0x72, 1, 0, 0x1d, 0, 0, 0, 0x0e, 9, 12})
	f.Fuzz(func(_ *testing.T, sense []byte) { _, _ = ended(sense) })
}

func TestWhatIsRead(t *testing.T) {
	aborted := unhex(t, "72 0b 00 00 00 00 00 0e 09 0c 00 04 00 00 00 00 00 00 00 00 00 51")
	well := unhex(t, "72 01 00 1d 00 00 00 0e 09 0c 00 00 00 00 00 00 00 00 00 00 00 50")
	for name, one := range map[string]struct {
		status  uint8
		sense   []byte
		missing int32
		reason  string
	}{
		"a good end says nothing more":  {scsiGood, nil, 0, ""},
		"a good end that is told":       {scsiCheckCondition, well, 0, ""},
		"a refusal":                     {scsiCheckCondition, aborted, 0, "refuses"},
		"a refusal without reason":      {scsiCheckCondition, nil, 0, "does not say"},
		"a busy disk":                   {0x08, nil, 0, "status 0x8"},
		"an end that brings nothing":    {scsiGood, nil, sectorBytes, "gave nothing"},
		"a number that cannot be right": {scsiGood, nil, -1, "gave nothing"},
	} {
		err := received(one.status, one.sense, sectorBytes, one.missing)
		if (one.reason == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), one.reason)) {
			t.Errorf("%s gives %v, expected %q", name, err, one.reason)
		}
	}
}
