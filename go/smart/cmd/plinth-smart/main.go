// plinth-smart asks disks for what they say of their own health and writes their answers as they are, one line of JSON for
// each disk. It is what plinthd starts, in a unit of its own that may open these disks for reading and nothing else: the
// commands need rights that plinthd does not have and shall not have (CAP_SYS_RAWIO). It sends only commands that read.
// What the bytes mean is decided by plinthd.
//
//	plinth-smart /dev/nvme0n1 /dev/sda …
//
//	{"disk":"nvme0n1","nvme":{"health":"BASE64 of 512 bytes"}}
//	{"disk":"sda","ata":{"identify":"…","values":"…","thresholds":"…","passed":true,"endurance":"…"}}
//	{"disk":"sdb","unread":"it sleeps, and asking would wake it"}
//
// A part that a disk does not have is left out.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"syscall"
	"unsafe"
)

const (
	exitFailed = 1
	exitUsage  = 2
	mostDisks  = 500
)

// The names that the kernel gives disks of both kinds; of an NVMe disk the one over all of its paths.
var (
	nvmeDisk = regexp.MustCompile(`^/dev/(nvme[0-9]{1,4}n[0-9]{1,4})$`)
	ataDisk  = regexp.MustCompile(`^/dev/(sd[a-z]{1,4})$`)
)

type answer struct {
	Disk   string      `json:"disk"`
	NVMe   *nvmeAnswer `json:"nvme,omitempty"`
	ATA    *ataAnswer  `json:"ata,omitempty"`
	Unread string      `json:"unread,omitempty"`
}

func main() {
	paths := os.Args[1:]
	if err := check(paths); err != nil {
		fmt.Fprintf(os.Stderr, "plinth-smart: %s\n", err)
		os.Exit(exitUsage)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	// All at once, each told as soon as it is known: a disk that hangs must not hide the others.
	answers := make(chan answer)
	for _, path := range paths {
		go func() { answers <- ask(path) }()
	}
	for range paths {
		if err := encoder.Encode(<-answers); err != nil {
			fmt.Fprintf(os.Stderr, "plinth-smart: %s\n", err)
			os.Exit(exitFailed)
		}
	}
}

func check(paths []string) error {
	if len(paths) == 0 || len(paths) > mostDisks {
		return fmt.Errorf("there are %d disks, expected 1 to %d", len(paths), mostDisks)
	}
	for _, path := range paths {
		if !nvmeDisk.MatchString(path) && !ataDisk.MatchString(path) {
			return fmt.Errorf("%q is not /dev/nvmeXnY or /dev/sdX", path)
		}
	}
	return nil
}

// ask never fails as a whole: one disk that does not answer must not hide the others.
func ask(path string) answer {
	said := answer{Disk: path[len("/dev/"):]}
	// Without O_NONBLOCK a drive without a medium may hold the open up.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		said.Unread = fmt.Sprintf("it cannot be opened: %s", reasonOf(err))
		return said
	}
	defer file.Close()
	if nvmeDisk.MatchString(path) {
		said.NVMe, err = askNVMe(file.Fd())
	} else {
		said.ATA, err = askATA(passThrough(file.Fd()))
	}
	if err != nil {
		said.Unread = err.Error()
	}
	return said
}

func reasonOf(err error) string {
	if wrapped, ok := err.(*os.PathError); ok {
		return wrapped.Err.Error()
	}
	return err.Error()
}

func ioctl(descriptor uintptr, request uintptr, argument unsafe.Pointer) error {
	_, _, code := syscall.Syscall(syscall.SYS_IOCTL, descriptor, request, uintptr(argument))
	if code != 0 {
		return code
	}
	return nil
}
