// plinth-images brings the container images of a layer into containerd before the kubelet starts: archives in the OCI
// image layout, from the verified system, without a registry. It can do nothing else.
package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	socket = "/run/containerd/containerd.sock"
	// Where the kubelet's images live.
	namespace = "k8s.io"
	// Bound on the index of an archive, which names one image.
	indexLimit = 1 << 20
)

// The kubelet removes images nobody uses when the disk fills up; these could not be fetched again.
var labels = map[string]string{"io.cri-containerd.pinned": "pinned"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "plinth-images: name the folder of the archives to bring in")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	paths, err := filepath.Glob(filepath.Join(os.Args[1], "*.tar"))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("no archive in %s", os.Args[1])
	}
	if err == nil {
		err = importAll(ctx, paths)
	}
	if err != nil {
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

// importOne gives containerd the archive, unless it has it, and unpacks it, so that the first pod does not wait for that.
func importOne(ctx context.Context, client *containerd.Client, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	wanted, err := readIndex(file)
	if err != nil {
		return err
	}
	if isThere(ctx, client, wanted) {
		fmt.Println(wanted.Name, wanted.Target.Digest, "is there")
		return nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	found, err := client.Import(ctx, file, containerd.WithImageLabels(labels))
	if err != nil {
		return err
	}
	for _, each := range found {
		if err := containerd.NewImage(client, each).Unpack(ctx, ""); err != nil {
			return err
		}
		fmt.Println(each.Name, each.Target.Digest, "brought in")
	}
	return nil
}

// readIndex tells which image an archive holds; the blobs before the index are skipped, not read.
func readIndex(file io.ReadSeeker) (images.Image, error) {
	archive := tar.NewReader(file)
	for {
		header, err := archive.Next()
		if err != nil {
			return images.Image{}, fmt.Errorf("no index in it: %w", err)
		}
		if header.Name != ocispec.ImageIndexFile {
			continue
		}
		var index ocispec.Index
		if err := json.NewDecoder(io.LimitReader(archive, indexLimit)).Decode(&index); err != nil {
			return images.Image{}, fmt.Errorf("its index cannot be read: %w", err)
		}
		if len(index.Manifests) != 1 {
			return images.Image{}, fmt.Errorf("it names %d images, expected one", len(index.Manifests))
		}
		target := index.Manifests[0]
		return images.Image{Name: target.Annotations[images.AnnotationImageName], Target: target}, nil
	}
}

// isThere is true only for the same digest, wholly unpacked: an import that was cut off is done again.
func isThere(ctx context.Context, client *containerd.Client, wanted images.Image) bool {
	image, err := client.GetImage(ctx, wanted.Name)
	if err != nil || image.Target().Digest != wanted.Target.Digest {
		return false
	}
	unpacked, err := image.IsUnpacked(ctx, "")
	return err == nil && unpacked
}
