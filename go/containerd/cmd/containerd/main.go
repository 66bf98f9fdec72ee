// containerd is the container runtime: upstream's daemon with upstream's plugins. Build tags leave out the snapshotters
// that no node has a use for (btrfs, device mapper, zfs); the debugging client ctr is not built at all.
package main

import (
	"fmt"
	"os"

	_ "github.com/containerd/containerd/v2/cmd/containerd/builtins"
	"github.com/containerd/containerd/v2/cmd/containerd/command"
)

func main() {
	if err := command.App().Run(os.Args); err != nil {
		fmt.Fprintf(os.Stderr, "containerd: %s\n", err)
		os.Exit(1)
	}
}
