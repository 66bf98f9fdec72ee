// plinth-mapped tells which processes map given files of /usr, from which file system, or what they map as code from elsewhere
// than given file systems. It is what plinthd starts, in a unit of its own, around a hot layer and to tell what is not signed: the kernel shows the maps of other processes only with CAP_SYS_PTRACE, which plinthd
// does not have and shall not have. It reads /proc and writes lines of JSON; it opens nothing else and changes nothing.
//
//	plinth-mapped PATH…
//	plinth-mapped --outside MAJOR:MINOR…
//
// One line for each process and file: {"pid":1,"name":"systemd","cgroup":"/init.scope","device":"253:0","path":"/usr/…"}.
// With --outside one for each executable mapping of a file that lies on none of the devices; device 0:0 and an empty path stand
// for memory that belongs to no file. At most 64 for each process.
// The last line: {"seen":120,"hidden":0}; hidden counts processes that the kernel refused to show.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const (
	exitFailed = 1
	exitUsage  = 2
	mostPaths  = 400
	// Of code from elsewhere, for each process: a container may map thousands of libraries, and a few say which it is.
	mostOutside = 64
	outside     = "--outside"
)

type mapping struct {
	PID    int    `json:"pid"`
	Name   string `json:"name"`
	Cgroup string `json:"cgroup"`
	Device string `json:"device"`
	Path   string `json:"path"`
}

type summary struct {
	Seen   int `json:"seen"`
	Hidden int `json:"hidden"`
}

func main() {
	wanted, err := wantedOf(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "plinth-mapped: %s\n", err)
		os.Exit(exitUsage)
	}
	if err := run(wanted); err != nil {
		fmt.Fprintf(os.Stderr, "plinth-mapped: %s\n", err)
		os.Exit(exitFailed)
	}
}

// search tells of one line of maps whether it is wanted, and how it is told; most bounds the answers for each process.
type search struct {
	match func(one mapped) (path string, ok bool)
	most  int
}

func wantedOf(args []string) (search, error) {
	if len(args) > 0 && args[0] == outside {
		devices, err := verifiedDevices(args[1:])
		if err != nil {
			return search{}, err
		}
		return search{most: mostOutside, match: func(one mapped) (string, bool) {
			return one.path, one.executable && !devices[one.device]
		}}, nil
	}
	paths, err := wantedPaths(args)
	if err != nil {
		return search{}, err
	}
	return search{most: mostPaths, match: func(one mapped) (string, bool) {
		short := strings.TrimPrefix(one.path, "/usr")
		return "/usr" + short, paths[short]
	}}, nil
}

func verifiedDevices(args []string) (map[string]bool, error) {
	if len(args) == 0 || len(args) > mostPaths {
		return nil, fmt.Errorf("there are %d devices, expected 1 to %d", len(args), mostPaths)
	}
	devices := make(map[string]bool, len(args))
	for _, device := range args {
		major, minor, found := strings.Cut(device, ":")
		_, wrong := strconv.ParseUint(major, 10, 32)
		_, odd := strconv.ParseUint(minor, 10, 32)
		if !found || wrong != nil || odd != nil {
			return nil, fmt.Errorf("%q is not MAJOR:MINOR", device)
		}
		devices[device] = true
	}
	return devices, nil
}

// wantedPaths gives the paths without "/usr": a process that maps a file of a mount that is gone shows it without.
func wantedPaths(args []string) (map[string]bool, error) {
	if len(args) == 0 || len(args) > mostPaths {
		return nil, fmt.Errorf("there are %d paths, expected 1 to %d", len(args), mostPaths)
	}
	wanted := make(map[string]bool, len(args))
	for _, path := range args {
		short, found := strings.CutPrefix(path, "/usr")
		if !found || !strings.HasPrefix(short, "/") {
			return nil, fmt.Errorf("%q is not below /usr", path)
		}
		wanted[short] = true
	}
	return wanted, nil
}

func run(wanted search) error {
	folder, err := os.Open("/proc")
	if err != nil {
		return err
	}
	names, err := folder.Readdirnames(-1)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	var sum summary
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		found, err := mappedBy(pid, wanted)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH):
			continue // it has ended
		case err != nil:
			sum.Hidden++
			continue
		}
		sum.Seen++
		for _, one := range found {
			if err := encoder.Encode(one); err != nil {
				return err
			}
		}
	}
	if err := encoder.Encode(sum); err != nil {
		return err
	}
	return out.Flush()
}

func mappedBy(pid int, wanted search) ([]mapping, error) {
	base := fmt.Sprintf("/proc/%d/", pid)
	file, err := os.Open(base + "maps")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var found []mapping
	seen := map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 64<<10), 1<<20)
	for len(found) < wanted.most && lines.Scan() {
		one, ok := parseLine(lines.Text())
		if !ok || seen[one.device+one.path] {
			continue
		}
		path, ok := wanted.match(one)
		if !ok {
			continue
		}
		seen[one.device+one.path] = true
		found = append(found, mapping{PID: pid, Device: one.device, Path: path})
	}
	if err := lines.Err(); err != nil || len(found) == 0 {
		return nil, err
	}
	name, err := os.ReadFile(base + "comm")
	if err != nil {
		return nil, err
	}
	cgroup, err := os.ReadFile(base + "cgroup")
	if err != nil {
		return nil, err
	}
	for index := range found {
		found[index].Name = strings.TrimSpace(string(name))
		found[index].Cgroup = unified(string(cgroup))
	}
	return found, nil
}

// mapped is one line of maps.
type mapped struct {
	device, path string
	executable   bool
}

// parseLine reads "start-end perms offset major:minor inode path" (proc_pid_maps(5)). The device is written in hexadecimal
// there, and in decimal in mountinfo: it is given as in mountinfo. Memory of no file has no path; what the kernel itself puts
// into each process is left out.
func parseLine(line string) (mapped, bool) {
	fields := strings.SplitN(line, " ", 6)
	if len(fields) < 5 {
		return mapped{}, false
	}
	path := ""
	if len(fields) == 6 {
		path = strings.TrimSuffix(strings.TrimLeft(fields[5], " "), " (deleted)")
	}
	switch {
	case path == "[vdso]" || path == "[vsyscall]" || path == "[uprobes]":
		return mapped{}, false
	case !strings.HasPrefix(path, "/"):
		path = ""
	}
	major, minor, found := strings.Cut(fields[3], ":")
	high, err := strconv.ParseUint(major, 16, 32)
	if err != nil || !found {
		return mapped{}, false
	}
	low, err := strconv.ParseUint(minor, 16, 32)
	if err != nil {
		return mapped{}, false
	}
	return mapped{fmt.Sprintf("%d:%d", high, low), path, strings.Contains(fields[1], "x")}, true
}

// unified gives the path of a process in the one tree of version 2 (cgroups(7)).
func unified(text string) string {
	for _, line := range strings.Split(text, "\n") {
		if path, found := strings.CutPrefix(line, "0::"); found {
			return path
		}
	}
	return ""
}
