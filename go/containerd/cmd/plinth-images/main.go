// plinth-images brings the container images of a layer into containerd before the kubelet starts: archives in the OCI
// image layout, from the verified system, without a registry. It can do nothing else.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	containerd "github.com/containerd/containerd/v2/client"
)

const (
	socket = "/run/containerd/containerd.sock"
	// Where the kubelet's images live.
	namespace = "k8s.io"
)

// The kubelet removes images nobody uses when the disk fills up; these could not be fetched again.
var labels = map[string]string{"io.cri-containerd.pinned": "pinned"}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "plinth-images: name the archives to bring in")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := importAll(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "plinth-images: %s\n", err)
		os.Exit(1)
	}
}

func importAll(ctx context.Context, paths []string) error {
	address := socket
	if own := os.Getenv("CONTAINERD_ADDRESS"); own != "" {
		address = own
	}
	client, err := containerd.New(address, containerd.WithDefaultNamespace(namespace))
	if err != nil {
		return fmt.Errorf("cannot reach containerd: %w", err)
	}
	defer client.Close()
	for _, path := range paths {
		if err := importOne(ctx, client, path); err != nil {
			return fmt.Errorf("cannot bring in %s: %w", path, err)
		}
	}
	return nil
}

// importOne gives containerd the archive and unpacks it, so that the first pod does not wait for that.
func importOne(ctx context.Context, client *containerd.Client, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	found, err := client.Import(ctx, file, containerd.WithImageLabels(labels))
	if err != nil {
		return err
	}
	for _, each := range found {
		if err := containerd.NewImage(client, each).Unpack(ctx, ""); err != nil {
			return err
		}
		fmt.Println(each.Name, each.Target.Digest)
	}
	return nil
}
