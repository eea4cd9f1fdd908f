package main

import (
	"encoding/json"
	"io"
	"os"
	"sync"

	"github.com/containers/storage/pkg/chunked"
)

// counted is a file of which each range that is asked for counts, as one that lies in a registry.
type counted struct {
	file *os.File
	size int64

	mutex    sync.Mutex
	read     int64
	requests int
}

func open(path string) (*counted, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return &counted{file: file, size: info.Size()}, nil
}

// openStated opens a layer, and reads what its descriptor states.
func openStated(layer, annotationsJSON string) (*counted, map[string]string, error) {
	stated, err := annotations(annotationsJSON)
	if err != nil {
		return nil, nil, err
	}
	source, err := open(layer)
	return source, stated, err
}

func (c *counted) count(n int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.read += int64(n)
	c.requests++
}

// ReadAt is how stargz-snapshotter asks for a range.
func (c *counted) ReadAt(p []byte, offset int64) (int, error) {
	n, err := c.file.ReadAt(p, offset)
	c.count(n)
	return n, err
}

// GetBlobAt is how containers/storage asks for ranges.
func (c *counted) GetBlobAt(ranges []chunked.ImageSourceChunk) (chan io.ReadCloser, chan error, error) {
	streams, errors := make(chan io.ReadCloser), make(chan error)
	go func() {
		defer close(streams)
		defer close(errors)
		for _, asked := range ranges {
			c.count(int(asked.Length))
			streams <- io.NopCloser(io.NewSectionReader(c.file, int64(asked.Offset), int64(asked.Length)))
		}
	}()
	return streams, errors, nil
}

// report says how much was asked for, with what the caller adds.
func (c *counted) report(more map[string]any) error {
	more["size"], more["read"], more["requests"] = c.size, c.read, c.requests
	return json.NewEncoder(os.Stderr).Encode(more)
}
