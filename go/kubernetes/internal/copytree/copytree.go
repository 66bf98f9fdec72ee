// Package copytree is as much of "cp -r" as kubeadm uses: it keeps a copy of etcd's folder while it upgrades etcd. The
// node has no coreutils, which would be a hundred programs for this one call.
package copytree

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Main copies as the arguments say ("-r SOURCE DESTINATION") and ends the program.
func Main() {
	if len(os.Args) != 4 || os.Args[1] != "-r" {
		fmt.Fprintln(os.Stderr, "cp: only -r SOURCE DESTINATION is known here")
		os.Exit(2)
	}
	if err := Copy(os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintf(os.Stderr, "cp: %s\n", err)
		os.Exit(1)
	}
}

// Copy copies a file or folder, into the destination where that is a folder. Modes are kept; links and devices are
// refused: etcd has none.
func Copy(source, destination string) error {
	if at, err := os.Stat(destination); err == nil && at.IsDir() {
		destination = filepath.Join(destination, filepath.Base(source))
	}
	return filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(destination, below)
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, info.Mode().Perm())
		case info.Mode().IsRegular():
			return copyFile(path, target, info.Mode().Perm())
		}
		return fmt.Errorf("%s is %s, expected a file or a folder", path, info.Mode().Type())
	})
}

// copyFile brings the bytes to the disk before it says that it has.
func copyFile(source, target string, mode fs.FileMode) (err error) {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	defer func() {
		if closed := to.Close(); err == nil {
			err = closed
		}
	}()
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	return to.Sync()
}
