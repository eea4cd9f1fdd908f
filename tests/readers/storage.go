package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/containers/storage"
	graphdriver "github.com/containers/storage/drivers"
	"github.com/containers/storage/pkg/archive"
	"github.com/containers/storage/pkg/chunked"
	"github.com/containers/storage/pkg/chunked/toc"
	"github.com/opencontainers/go-digest"
)

// storagePull pulls layers one on the other as podman does where partial pulls are switched on: files that an earlier layer of
// the store has are not asked for again. The store's own check rebuilds the tar from files and tar-split; the digest of that is
// reported. An eStargz layer has no tar-split, which the store takes only where it is told not to care.
func storagePull(folder string, layers []string) error {
	store, err := storage.GetStore(storage.StoreOptions{
		RunRoot:         filepath.Join(folder, "run"),
		GraphRoot:       filepath.Join(folder, "graph"),
		GraphDriverName: "overlay",
		PullOptions: map[string]string{
			"enable_partial_images":                       "true",
			"insecure_allow_unpredictable_image_contents": fmt.Sprint(hasEstargz(layers)),
		},
	})
	if err != nil {
		return err
	}
	defer func() { _, _ = store.Shutdown(true) }()
	parent := ""
	for i := 0; i < len(layers); i += 2 {
		id := fmt.Sprintf("%064d", i)
		if err := pullOne(store, id, parent, layers[i], layers[i+1]); err != nil {
			return fmt.Errorf("%s: %w", layers[i], err)
		}
		parent = id
	}
	return nil
}

func hasEstargz(layers []string) bool {
	for i := 1; i < len(layers); i += 2 {
		if stated, err := annotations(layers[i]); err == nil && stated["containerd.io/snapshot/stargz/toc.digest"] != "" {
			return true
		}
	}
	return false
}

func pullOne(store storage.Store, id, parent, layer, annotationsJSON string) error {
	source, stated, err := openStated(layer, annotationsJSON)
	if err != nil {
		return err
	}
	blob := digest.Canonical.Digester()
	if _, err := io.Copy(blob.Hash(), io.NewSectionReader(source.file, 0, source.size)); err != nil {
		return err
	}
	tocDigest, err := toc.GetTOCDigest(stated)
	if err != nil || tocDigest == nil {
		return fmt.Errorf("no digest of a table: %w", err)
	}
	differ, err := chunked.NewDiffer(context.Background(), store, blob.Digest(), source.size, stated, source)
	if err != nil {
		return err
	}
	defer differ.Close()
	options := &graphdriver.ApplyDiffWithDifferOpts{}
	staged, err := store.PrepareStagedLayer(options, differ)
	if err != nil {
		return err
	}
	_, err = store.ApplyStagedLayer(storage.ApplyStagedLayerOptions{
		ID:          id,
		ParentLayer: parent,
		DiffOutput:  staged,
		DiffOptions: options,
	})
	if err != nil {
		return err
	}
	report := map[string]any{"diff_id": staged.UncompressedDigest, "plain": staged.Size}
	if staged.UncompressedDigest != "" {
		exported, err := export(store, parent, id)
		if err != nil {
			return err
		}
		report["exported"] = exported
	}
	return source.report(report)
}

// export is the digest of the tar that the store gives back.
func export(store storage.Store, parent, id string) (digest.Digest, error) {
	none := archive.Uncompressed
	tar, err := store.Diff(parent, id, &storage.DiffOptions{Compression: &none})
	if err != nil {
		return "", err
	}
	defer tar.Close()
	return digest.FromReader(tar)
}
