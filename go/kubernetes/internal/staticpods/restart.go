// Package staticpods starts the control plane of a node anew.
package staticpods

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/yaml"
)

// The kubelet starts a static pod anew when its manifest says something else than before.
const annotation = "plinth.dev/restarted-at"

var names = []string{"etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"}

// Main marks each manifest and gives the exit code.
func Main(args []string) int {
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	folder := flags.String("manifests", "/etc/kubernetes/manifests", "static pods")
	if flags.Parse(args[1:]) != nil || flags.NArg() > 0 {
		return 2
	}
	for _, name := range names {
		err := mark(*folder, name, time.Now().UTC().Format(time.RFC3339Nano))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(os.Stderr, "%s: Cannot restart %s: %v\n", filepath.Base(args[0]), name, err)
			return 1
		}
	}
	return 0
}

func mark(folder, name, now string) error {
	path := filepath.Join(folder, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	pod := map[string]any{}
	if err := yaml.Unmarshal(text, &pod); err != nil {
		return err
	}
	metadata, found := pod["metadata"].(map[string]any)
	if !found {
		return errors.New("it has no metadata, expected a pod")
	}
	annotations, found := metadata["annotations"].(map[string]any)
	if !found {
		annotations = map[string]any{}
		metadata["annotations"] = annotations
	}
	annotations[annotation] = now
	text, err = yaml.Marshal(pod)
	if err != nil {
		return err
	}
	return replace(path, text)
}

// replace writes beside the file; the kubelet does not read names that begin with a dot.
func replace(path string, text []byte) error {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	defer os.Remove(temporary)
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
