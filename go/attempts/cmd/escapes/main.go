// escapes tries what a hostile pod would: to leave its container by what it was lent of the host, by its capabilities, and
// by the kernel. For tests of a booted node; it is not part of any image.
//
//	escapes NAME…
//
// The root of the host is at /host, and the pod sees the processes of the host. One line for each attempt:
// "attempt NAME: refused: permission denied", "attempt NAME: succeeded". Every attempt is one that does no harm where it
// succeeds: files are opened and not written, PID 1 ignores the signal, the clock is set to what it is.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const host = "/host"

// linux/syscalls of x86-64, where the package syscall has none.
const (
	sysSetns          = 308
	sysFinitModule    = 313
	sysKexecLoad      = 246
	sysNameToHandle   = 303
	sysOpenByHandle   = 304
	sysBpf            = 321
	sysUserfaultfd    = 323
	sysPerfEventOpen  = 298
	sysClockSettime   = 227
	bpfMapCreate      = 0
	bpfMapArray       = 2
	compressedModule  = 4
	syslogReadAll     = 3
	ptraceSeize       = 0x4206
	ptraceDetach      = 17
	atFdcwd           = -100
	userfaultUserOnly = 0
)

// The kernel writes at most ten records of refusals in five seconds to its log (printk_ratelimit).
const pause = 700 * time.Millisecond

var attempts = map[string]func() error{
	"read-node-identity":   read("/var/lib/plinth/identity/node.pem"),
	"list-node-state":      list("/var/lib/plinth"),
	"read-cluster-key":     read("/var/lib/kubernetes/pki/ca.key"),
	"list-kubelet-keys":    list("/var/lib/kubelet/pki"),
	"read-etcd":            read("/var/lib/etcd/member/snap/db"),
	"read-journal":         list("/var/log/journal"),
	"read-other-pod-token": readOtherToken,
	"write-etc":            create("/etc/plinth-escape"),
	"write-usr":            create("/usr/plinth-escape"),
	"write-kubelet-state":  create("/var/lib/kubelet/plinth-escape"),
	"write-images":         create("/var/lib/containerd/plinth-escape"),
	"write-audit-log":      openTo("/var/log/kubernetes/audit.log", os.O_WRONLY|os.O_APPEND),
	"end-plinthd-by-group": openTo("/sys/fs/cgroup/system.slice/plinthd.service/cgroup.kill", os.O_WRONLY),
	"core-pattern":         openTo("/proc/sys/kernel/core_pattern", os.O_WRONLY),
	"module-loader":        openTo("/proc/sys/kernel/modprobe", os.O_WRONLY),
	"kernel-memory":        openTo("/proc/kcore", os.O_RDONLY),
	"firmware-variables":   list("/sys/firmware/efi/efivars"),
	"selinux-off":          write("/sys/fs/selinux/enforce", "0"),
	"selinux-policy":       write("/sys/fs/selinux/load", "other"),
	"containerd-socket":    connect("/run/containerd/containerd.sock"),
	"init-socket":          connect("/run/systemd/private"),
	"bus-socket":           connect("/run/dbus/system_bus_socket"),
	"disk":                 readDisk,
	"memory-device":        openTo("/dev/mem", os.O_RDONLY),
	"tpm":                  openTo("/dev/tpmrm0", os.O_RDWR),
	"device-node":          deviceNode,
	"root-of-init":         list("/proc/1/root"),
	"enter-init":           enterInit,
	"trace-init":           func() error { return trace(1) },
	"trace-plinthd":        tracePlinthd,
	"kill-init":            func() error { return syscall.Kill(1, syscall.SIGKILL) },
	"become-other-domain":  write("/../proc/self/attr/current", "system_u:system_r:plinthd_t:s0"),
	"mount":                func() error { return syscall.Mount("none", "/tmp", "tmpfs", 0, "") },
	"remount-root":         func() error { return syscall.Mount("", host, "", syscall.MS_REMOUNT, "") },
	"module":               loadModule,
	"open-by-handle":       openByHandle,
	"bpf":                  makeBpfMap,
	"userfaultfd":          call(sysUserfaultfd, userfaultUserOnly, 0, 0),
	"perf":                 perfEvent,
	"kernel-log":           kernelLog,
	"kexec":                call(sysKexecLoad, 0, 0, 0),
	"clock":                setClock,
}

func main() {
	// Only the thread that traces a process lets it go.
	runtime.LockOSThread()
	for _, name := range os.Args[1:] {
		attempt, ok := attempts[name]
		if !ok {
			fmt.Fprintf(os.Stderr, "escapes: no attempt %q\n", name)
			os.Exit(1)
		}
		time.Sleep(pause)
		say(name, attempt())
	}
}

func say(name string, err error) {
	var number syscall.Errno
	switch {
	case err == nil:
		fmt.Printf("attempt %s: succeeded\n", name)
	case errors.As(err, &number):
		fmt.Printf("attempt %s: refused: %s\n", name, number)
	default:
		fmt.Printf("attempt %s: failed: %s\n", name, err)
	}
}

func read(path string) func() error { return openTo(path, os.O_RDONLY) }

func openTo(path string, flags int) func() error {
	return func() error {
		file, err := os.OpenFile(host+path, flags, 0)
		if err != nil {
			return err
		}
		return file.Close()
	}
}

func list(path string) func() error {
	return func() error {
		_, err := os.ReadDir(host + path)
		return err
	}
}

// create makes a file and takes it away again.
func create(path string) func() error {
	return func() error {
		file, err := os.OpenFile(host+path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		file.Close()
		return os.Remove(host + path)
	}
}

func write(path, text string) func() error {
	return func() error {
		file, err := os.OpenFile(filepath.Clean(host+path), os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = file.WriteString(text)
		return err
	}
}

func connect(path string) func() error {
	return func() error {
		connection, err := net.Dial("unix", host+path)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}

func call(number, one, two, three uintptr) func() error {
	return func() error {
		if _, _, errno := syscall.Syscall6(number, one, two, three, 0, 0, 0); errno != 0 {
			return errno
		}
		return nil
	}
}

// readOtherToken reads the token of another pod's service account; its folder says by its label whose it is.
func readOtherToken() error {
	tokens, err := filepath.Glob(host + "/var/lib/kubelet/pods/*/volumes/kubernetes.io~projected/*/token")
	if err != nil {
		return err
	}
	var refused error
	for _, path := range tokens {
		content, err := os.ReadFile(path)
		if err == nil && len(content) > 0 {
			return nil
		}
		refused = err
	}
	if refused == nil {
		return syscall.EACCES // none was even seen
	}
	return refused
}

// readDisk reads the first sector of the first disk.
func readDisk() error {
	for _, name := range []string{"/dev/vda", "/dev/sda", "/dev/nvme0n1"} {
		file, err := os.Open(host + name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = file.Read(make([]byte, 512))
		return err
	}
	return errors.New("there is no disk")
}

// deviceNode makes a node of the first virtio disk in the container's own root.
func deviceNode() error {
	const path, device = "/tmp/disk", 254 << 8
	if err := syscall.Mknod(path, syscall.S_IFBLK|0o600, device); err != nil {
		return err
	}
	defer os.Remove(path)
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return file.Close()
}

func enterInit() error {
	file, err := os.Open("/proc/1/ns/net")
	if err != nil {
		return err
	}
	defer file.Close()
	return call(sysSetns, file.Fd(), syscall.CLONE_NEWNET, 0)()
}

func trace(pid int) error {
	if err := call(syscall.SYS_PTRACE, ptraceSeize, uintptr(pid), 0)(); err != nil {
		return err
	}
	return call(syscall.SYS_PTRACE, ptraceDetach, uintptr(pid), 0)()
}

func tracePlinthd() error {
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return err
	}
	for _, path := range names {
		name, err := os.ReadFile(path)
		if err != nil || strings.TrimSpace(string(name)) != "plinthd" {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(path, "/")[2])
		if err != nil {
			return err
		}
		return trace(pid)
	}
	return errors.New("plinthd is not seen")
}

func loadModule() error {
	found, err := filepath.Glob(host + "/usr/lib/modules/*/kernel/lib/ts_kmp.ko.xz")
	if err != nil || len(found) != 1 {
		return fmt.Errorf("there are %d modules ts_kmp", len(found))
	}
	file, err := os.Open(found[0])
	if err != nil {
		return err
	}
	defer file.Close()
	parameters := []byte{0}
	return call(sysFinitModule, file.Fd(), uintptr(unsafe.Pointer(&parameters[0])), compressedModule)()
}

// openByHandle opens a file by its number on the file system instead of a path ("shocker").
func openByHandle() error {
	handle := struct {
		size, kind uint32
		bytes      [128]byte
	}{size: 128}
	path := append([]byte(host+"/var"), 0)
	mount := int32(0)
	from := atFdcwd
	if _, _, errno := syscall.Syscall6(sysNameToHandle, uintptr(from), uintptr(unsafe.Pointer(&path[0])),
		uintptr(unsafe.Pointer(&handle)), uintptr(unsafe.Pointer(&mount)), 0, 0); errno != 0 {
		return fmt.Errorf("cannot name it: %v", errno)
	}
	folder, err := os.Open(host)
	if err != nil {
		return err
	}
	defer folder.Close()
	return call(sysOpenByHandle, folder.Fd(), uintptr(unsafe.Pointer(&handle)), syscall.O_RDONLY)()
}

func makeBpfMap() error {
	attributes := struct{ kind, key, value, entries uint32 }{kind: bpfMapArray, key: 4, value: 4, entries: 1}
	return call(sysBpf, bpfMapCreate, uintptr(unsafe.Pointer(&attributes)), unsafe.Sizeof(attributes))()
}

// perfEvent counts the cycles of the whole first processor.
func perfEvent() error {
	attributes := [128]byte{}
	attributes[4] = byte(len(attributes))
	any := -1
	if _, _, errno := syscall.Syscall6(sysPerfEventOpen, uintptr(unsafe.Pointer(&attributes[0])),
		uintptr(any), 0, uintptr(any), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func kernelLog() error {
	_, err := syscall.Klogctl(syslogReadAll, make([]byte, 4096))
	return err
}

func setClock() error {
	now := syscall.NsecToTimespec(time.Now().UnixNano())
	return call(sysClockSettime, 0, uintptr(unsafe.Pointer(&now)), 0)()
}
