package main

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

// NVM Express Base Specification: Get Log Page with the log "SMART / Health Information", of the whole controller.
const (
	nvmeIoctlAdminCommand = 0xc048_4e41 // _IOWR('N', 0x41, struct nvme_admin_cmd), linux/nvme_ioctl.h
	nvmeGetLogPage        = 0x02
	nvmeLogHealth         = 0x02
	nvmeWholeController   = 0xffff_ffff
	nvmeLogBytes          = 512
	nvmeTimeoutMs         = 10_000
)

// nvmeCommand is struct nvme_passthru_cmd (linux/nvme_ioctl.h), 72 bytes.
type nvmeCommand struct {
	opcode, flags                  uint8
	reserved1                      uint16
	namespace, word2, word3        uint32
	metadata, address              uint64
	metadataBytes, dataBytes       uint32
	word10, word11, word12, word13 uint32
	word14, word15, timeoutMs      uint32
	result                         uint32
}

type nvmeAnswer struct {
	Health []byte `json:"health"`
}

func askNVMe(descriptor uintptr) (*nvmeAnswer, error) {
	page := make([]byte, nvmeLogBytes)
	var pin runtime.Pinner
	pin.Pin(&page[0])
	defer pin.Unpin()
	command := nvmeCommand{
		opcode:    nvmeGetLogPage,
		namespace: nvmeWholeController,
		address:   uint64(uintptr(unsafe.Pointer(&page[0]))),
		dataBytes: nvmeLogBytes,
		// Number of double words less one, and the log.
		word10:    (nvmeLogBytes/4-1)<<16 | nvmeLogHealth,
		timeoutMs: nvmeTimeoutMs,
	}
	_, _, code := syscall.Syscall(syscall.SYS_IOCTL, descriptor, nvmeIoctlAdminCommand, uintptr(unsafe.Pointer(&command)))
	if code != 0 {
		return nil, fmt.Errorf("it was not asked: %s", code)
	}
	return &nvmeAnswer{Health: page}, nil
}
