// Package restore puts a snapshot in the place of an etcd member's data, with nothing but the files of a control plane.
package restore

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"
)

// Watches and caches of Kubernetes hold revisions of the lost database. Counting on from far above them, and marking
// what lies between as compacted, makes every client list again instead of trusting a revision it thinks it knows.
const revisionBump = 1_000_000_000

// paths are the places of a node; tests give others.
type paths struct {
	snapshot, dataDir, manifests, aside string
	patience                            time.Duration
}

// The parts that must not run on the old data, or hold what they read of it.
var stopped = []string{"etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"}

// Main restores and gives the exit code: 0 when the member's data is the snapshot, 1 when everything is as before.
func Main(args []string) int {
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	var p paths
	flags.StringVar(&p.snapshot, "snapshot", "/var/lib/plinth/etcd/restore.db", "snapshot with its appended SHA-256")
	flags.StringVar(&p.dataDir, "data-dir", "/var/lib/etcd", "data of the member")
	flags.StringVar(&p.manifests, "manifests", "/etc/kubernetes/manifests", "static pods")
	flags.StringVar(&p.aside, "aside", "/etc/kubernetes/restore", "where static pods wait meanwhile")
	flags.DurationVar(&p.patience, "patience", 3*time.Minute, "how long the member may take to end")
	if flags.Parse(args[1:]) != nil || flags.NArg() > 0 {
		return 2
	}
	if err := run(p); err != nil {
		fmt.Fprintf(os.Stderr, "%s: Cannot restore etcd: %v\n", filepath.Base(args[0]), err)
		return 1
	}
	return 0
}

func run(p paths) error {
	if err := putBack(p); err != nil { // of a run that was cut short
		return err
	}
	member, peerURL, err := readMember(filepath.Join(p.manifests, "etcd.yaml"))
	if err != nil {
		return err
	}
	// Made and checked beside the data while the member still runs: a bad snapshot changes nothing.
	fresh, old := p.dataDir+".restored", p.dataDir+".before-restore"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	err = snapshot.NewV3(zap.NewNop()).Restore(snapshot.RestoreConfig{
		SnapshotPath:        p.snapshot,
		Name:                member,
		OutputDataDir:       fresh,
		PeerURLs:            []string{peerURL},
		InitialCluster:      member + "=" + peerURL,
		InitialClusterToken: fmt.Sprintf("plinth-restore-%d", time.Now().Unix()), // members of the old cluster stay strangers
		RevisionBump:        revisionBump,
		MarkCompacted:       true,
	})
	if err != nil {
		return err
	}
	if err := os.Chmod(fresh, 0o700); err != nil {
		return err
	}
	err = stop(p)
	if err == nil {
		err = swap(p.dataDir, fresh, old)
	}
	return errors.Join(err, putBack(p))
}

// readMember finds who the member is in the static pod that kubeadm wrote.
func readMember(path string) (name, peerURL string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if value, found := strings.CutPrefix(line, "- --name="); found {
			name = value
		}
		if value, found := strings.CutPrefix(line, "- --initial-advertise-peer-urls="); found {
			peerURL = value
		}
	}
	if name == "" || peerURL == "" {
		return "", "", fmt.Errorf("%s names no member, expected --name and --initial-advertise-peer-urls", path)
	}
	return name, peerURL, nil
}

// stop takes the static pods away and waits until the member has let go of its file: etcd holds a lock on it.
func stop(p paths) error {
	if err := os.MkdirAll(p.aside, 0o700); err != nil {
		return err
	}
	for _, name := range stopped {
		err := os.Rename(filepath.Join(p.manifests, name), filepath.Join(p.aside, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	deadline := time.Now().Add(p.patience)
	for {
		free, err := isFree(filepath.Join(p.dataDir, "member", "snap", "db"))
		if free || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the member still runs after %s, expected the kubelet to end it", p.patience)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func isFree(path string) (bool, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // there is no data: a member that never started, or lost its disk
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// swap keeps the data there was beside the new one; it is the way back by hand.
func swap(dataDir, fresh, old string) error {
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(dataDir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh, dataDir); err != nil {
		return errors.Join(err, os.Rename(old, dataDir))
	}
	folder, err := os.Open(filepath.Dir(dataDir))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// putBack ends any interruption: data that was moved away, then the static pods, so that nothing starts on no data.
func putBack(p paths) error {
	old := p.dataDir + ".before-restore"
	if _, err := os.Stat(p.dataDir); errors.Is(err, fs.ErrNotExist) {
		if err := os.Rename(old, p.dataDir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	var failed error
	for _, name := range stopped {
		err := os.Rename(filepath.Join(p.aside, name), filepath.Join(p.manifests, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
