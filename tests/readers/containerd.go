package main

import (
	"context"
	"os"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
)

// containerdApply unpacks a layer over what is in a directory.
func containerdApply(layer, dir string) error {
	// Its own decompressor, not whatever pigz is installed.
	if err := os.Setenv("CONTAINERD_DISABLE_PIGZ", "1"); err != nil {
		return err
	}
	file, err := os.Open(layer)
	if err != nil {
		return err
	}
	defer file.Close()
	tar, err := compression.DecompressStream(file)
	if err != nil {
		return err
	}
	defer tar.Close()
	_, err = archive.Apply(context.Background(), dir, tar)
	return err
}
