// Readers is one program with the readers that others unpack our layers with: the libraries of containerd, its
// stargz-snapshotter and containers/storage, each as a command that tests can call.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/containers/storage/pkg/reexec"
)

const usage = `usage:
  readers containerd-apply LAYER DIR            unpack a layer as containerd does
  readers estargz LAYER TOC-DIGEST PATH         print one file of an eStargz layer as stargz-snapshotter finds it
  readers zstd-chunked LAYER ANNOTATIONS PATH   print one file of a zstd:chunked layer, by the same reader
  readers storage STORE LAYER ANNOTATIONS ...   pull layers into a containers/storage store, one on the other

LAYER is a file, ANNOTATIONS the JSON object of its descriptor. What was read of a layer is told on standard error as JSON.`

func main() {
	// containers/storage unpacks in a copy of this program.
	if reexec.Init() {
		return
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "readers:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "containerd-apply":
		return containerdApply(args[1], args[2])
	case len(args) == 4 && args[0] == "estargz":
		return estargzFile(args[1], args[2], args[3])
	case len(args) == 4 && args[0] == "zstd-chunked":
		return zstdChunkedFile(args[1], args[2], args[3])
	case len(args) >= 4 && len(args)%2 == 0 && args[0] == "storage":
		return storagePull(args[1], args[2:])
	default:
		return fmt.Errorf("%s", usage)
	}
}

// annotations reads the object that a descriptor has.
func annotations(text string) (map[string]string, error) {
	var found map[string]string
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		return nil, fmt.Errorf("annotations: %w", err)
	}
	return found, nil
}
