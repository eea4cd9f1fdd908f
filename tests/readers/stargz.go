package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	"github.com/opencontainers/go-digest"
)

// estargzFile prints a file, after its table and each of its chunks were verified.
func estargzFile(layer, tocDigest, path string) error {
	source, err := open(layer)
	if err != nil {
		return err
	}
	reader, err := estargz.Open(io.NewSectionReader(source, 0, source.size))
	if err != nil {
		return err
	}
	if _, ok := reader.Lookup(estargz.NoPrefetchLandmark); !ok {
		return errors.New("no landmark")
	}
	verifier, err := reader.VerifyTOC(digest.Digest(tocDigest))
	if err != nil {
		return err
	}
	content, err := reader.OpenFile(path)
	if err != nil {
		return err
	}
	for offset := int64(0); offset < content.Size(); {
		chunk, ok := reader.ChunkEntryForOffset(path, offset)
		if !ok {
			return fmt.Errorf("no chunk at %d", offset)
		}
		verify, err := verifier.Verifier(chunk)
		if err != nil {
			return err
		}
		bytes := io.NewSectionReader(content, chunk.ChunkOffset, chunk.ChunkSize)
		if _, err := io.Copy(io.MultiWriter(os.Stdout, verify), whole(bytes)); err != nil {
			return err
		}
		if !verify.Verified() {
			return fmt.Errorf("chunk at %d has another digest", chunk.ChunkOffset)
		}
		offset = chunk.ChunkOffset + chunk.ChunkSize
	}
	return source.report(map[string]any{})
}

// whole reads a chunk with one call: each call to its reader decompresses the chunk from its start.
func whole(section *io.SectionReader) io.Reader {
	return &wholeReader{section: section}
}

type wholeReader struct {
	section *io.SectionReader
	bytes   []byte
	done    bool
}

func (w *wholeReader) Read(p []byte) (int, error) {
	if !w.done {
		w.bytes, w.done = make([]byte, w.section.Size()), true
		if _, err := w.section.ReadAt(w.bytes, 0); err != nil && err != io.EOF {
			return 0, err
		}
	}
	if len(w.bytes) == 0 {
		return 0, io.EOF
	}
	n := copy(p, w.bytes)
	w.bytes = w.bytes[n:]
	return n, nil
}

// storageLayout finds the table by the footer that containers/storage writes: stargz-snapshotter's own is older and shorter.
type storageLayout struct{ zstdchunked.Decompressor }

func (*storageLayout) FooterSize() int64 { return 64 }

func (*storageLayout) ParseFooter(footer []byte) (payload, offset, size int64, err error) {
	if len(footer) != 64 || string(footer[56:]) != "GNUlInUx" {
		return 0, 0, 0, errors.New("not a footer of zstd:chunked")
	}
	offset = int64(binary.LittleEndian.Uint64(footer))
	size = int64(binary.LittleEndian.Uint64(footer[8:]))
	return offset - 8, offset, size, nil
}

// zstdChunkedFile prints a file, after its digest was compared.
func zstdChunkedFile(layer, annotationsJSON, path string) error {
	source, stated, err := openStated(layer, annotationsJSON)
	if err != nil {
		return err
	}
	reader, err := estargz.Open(io.NewSectionReader(source, 0, source.size), estargz.WithDecompressors(&storageLayout{}))
	if err != nil {
		return err
	}
	var offset, size, plain, kind int64
	if _, err := fmt.Sscanf(stated["io.github.containers.zstd-chunked.manifest-position"], "%d:%d:%d:%d", &offset, &size, &plain, &kind); err != nil {
		return err
	}
	checksum := digest.Canonical.Digester()
	if _, err := io.Copy(checksum.Hash(), io.NewSectionReader(source.file, offset, size)); err != nil {
		return err
	}
	if checksum.Digest().String() != stated["io.github.containers.zstd-chunked.manifest-checksum"] {
		return errors.New("the table has another digest")
	}
	entry, ok := reader.Lookup(path)
	if !ok {
		return fmt.Errorf("no %s", path)
	}
	content, err := reader.OpenFile(path)
	if err != nil {
		return err
	}
	verify := digest.Digest(entry.Digest).Verifier()
	if _, err := io.Copy(io.MultiWriter(os.Stdout, verify), whole(content)); err != nil {
		return err
	}
	if !verify.Verified() {
		return errors.New("the file has another digest")
	}
	return source.report(map[string]any{})
}
