// attempts tries what a node that executes only signed code must refuse: code from places anyone could write to, code that
// belongs to no file, modules from elsewhere, and every way to change the rules. For tests of a booted node, which has no
// shell; it is not part of any image.
//
//	attempts FOLDER…
//
// FOLDERs are writable and not "noexec", or another rule would refuse first. One line for each attempt:
// "attempt NAME: refused: permission denied", "attempt NAME: allowed".
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// linux/syscalls of x86-64, where the package syscall has none.
const (
	sysMemfdCreate   = 319
	sysFinitModule   = 313
	compressedModule = 4 // MODULE_INIT_COMPRESSED_FILE
)

// A library that a program of the node is told to load, the program, and where kernel and modules say what they are.
const (
	library  = "/usr/lib/x86_64-linux-gnu/libm.so.6"
	program  = "/usr/bin/mount"
	policies = "/sys/kernel/security/ipe"
	modules  = "/usr/lib/modules"
	// Small, needs no other module, and nothing on a node uses it.
	module = "kernel/lib/ts_kmp.ko.xz"
)

const pause = 700 * time.Millisecond

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--ran" {
		return
	}
	for _, folder := range os.Args[1:] {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			fmt.Fprintf(os.Stderr, "attempts: %s\n", err)
			os.Exit(1)
		}
		name := strings.Trim(strings.ReplaceAll(folder, "/", "-"), "-")
		try("execute-"+name, func() error { return executeCopy(filepath.Join(folder, "attempt")) })
		try("map-"+name, func() error { return mapCopy(filepath.Join(folder, "library.so")) })
		try("preload-"+name, func() error { return preload(filepath.Join(folder, "library.so")) })
		try("module-"+name, func() error { return loadCopy(filepath.Join(folder, "module.ko.xz")) })
	}
	try("memfd", executeMemory)
	try("anonymous", mapAnonymous)
	try("protect", protectAnonymous)
	try("enforce", func() error { return write(policies+"/enforce", "0") })
	try("policy", func() error {
		return write(policies+"/new_policy", "policy_name=other policy_version=9.0.0\nDEFAULT action=ALLOW\n")
	})
	try("update-policy", func() error { return write(policies+"/policies/plinth/update", "0") })
	try("delete-policy", func() error { return write(policies+"/policies/plinth/delete", "1") })
	try("stop-policy", func() error { return write(policies+"/policies/plinth/active", "0") })
	// What is allowed shows that the attempts above were refused for where they came from.
	try("verified-program", func() error { return exec.Command(program, "--version").Run() })
	try("verified-module", loadVerified)
}

func try(name string, attempt func() error) {
	// The kernel writes at most ten records of refusals in five seconds to its log (printk_ratelimit).
	time.Sleep(pause)
	err := attempt()
	if err == nil {
		fmt.Printf("attempt %s: allowed\n", name)
		return
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		fmt.Printf("attempt %s: refused: %s\n", name, number)
		return
	}
	fmt.Printf("attempt %s: failed: %s\n", name, err)
}

func executeCopy(path string) error {
	if err := copyFile("/proc/self/exe", path); err != nil {
		return fmt.Errorf("cannot copy: %v", err)
	}
	return exec.Command(path, "--ran").Run()
}

func executeMemory() error {
	name := append([]byte("attempt"), 0)
	number, _, errno := syscall.Syscall(sysMemfdCreate, uintptr(unsafe.Pointer(&name[0])), 0, 0)
	if errno != 0 {
		return fmt.Errorf("cannot make a file in memory: %v", errno)
	}
	file := os.NewFile(number, "attempt")
	defer file.Close()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("cannot read itself: %v", err)
	}
	defer self.Close()
	if _, err := io.Copy(file, self); err != nil {
		return fmt.Errorf("cannot copy: %v", err)
	}
	return exec.Command(fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), number), "--ran").Run()
}

// mapCopy does what dlopen(3) does with a library.
func mapCopy(path string) error {
	if err := copyFile(library, path); err != nil {
		return fmt.Errorf("cannot copy: %v", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot open: %v", err)
	}
	defer file.Close()
	_, err = syscall.Mmap(int(file.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_EXEC, syscall.MAP_PRIVATE)
	return err
}

// preload lets the dynamic linker of a verified program load a library from elsewhere; it goes on without, and says so.
func preload(path string) error {
	command := exec.Command(program, "--version")
	command.Env = []string{"LD_PRELOAD=" + path}
	said, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot run: %v", err)
	}
	if bytes.Contains(said, []byte("cannot be preloaded")) {
		return syscall.EACCES
	}
	return nil
}

func mapAnonymous() error {
	_, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_EXEC, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	return err
}

func protectAnonymous() error {
	memory, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return fmt.Errorf("cannot map: %v", err)
	}
	return syscall.Mprotect(memory, syscall.PROT_READ|syscall.PROT_EXEC)
}

// loadCopy takes a module whose signature the kernel accepts from a place where it has no business.
func loadCopy(path string) error {
	from, err := findModule()
	if err != nil {
		return err
	}
	if err := copyFile(from, path); err != nil {
		return fmt.Errorf("cannot copy: %v", err)
	}
	return load(path)
}

func loadVerified() error {
	from, err := findModule()
	if err != nil {
		return err
	}
	return load(from)
}

func findModule() (string, error) {
	found, err := filepath.Glob(filepath.Join(modules, "*", module))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("there are %d modules %s", len(found), module)
	}
	return found[0], nil
}

func load(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot open: %v", err)
	}
	defer file.Close()
	parameters := []byte{0}
	_, _, errno := syscall.Syscall(sysFinitModule, file.Fd(), uintptr(unsafe.Pointer(&parameters[0])), compressedModule)
	if errno != 0 {
		return errno
	}
	return nil
}

func write(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(text)
	return err
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o755)
}
