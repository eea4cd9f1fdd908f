// Scanners writes advisories in the forms that other scanners read, so that they and distil can be asked the same.
//
// grype's database is made by grype's own processors and writer, from records as vunnel, which collects what goes into it, has
// them of Debian's security tracker.
package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/anchore/grype/grype/db/data"
	"github.com/anchore/grype/grype/db/provider"
	grype "github.com/anchore/grype/grype/db/v6"
	build "github.com/anchore/grype/grype/db/v6/build"
	"github.com/spf13/afero"
)

const usage = `usage:
  scanners RECORDS DIR   take OSV records of Debian, one a line, and write DIR/osv-scalibr/*/all.zip for osv-scanner, and
                         DIR/6/vulnerability.db for grype`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "scanners:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New(usage)
	}
	lines, err := read(args[0])
	if err != nil {
		return err
	}
	// osv-scanner stops at the first package of an ecosystem that it has no archive of.
	for ecosystem, records := range map[string][][]byte{"Debian": lines, "Go": nil, "Maven": nil, "PyPI": nil, "crates.io": nil, "npm": nil} {
		if err := writeZip(records, filepath.Join(args[1], "osv-scalibr", ecosystem)); err != nil {
			return fmt.Errorf("all.zip: %w", err)
		}
	}
	if err := writeDatabase(lines, filepath.Join(args[1], "6")); err != nil {
		return fmt.Errorf("database of grype: %w", err)
	}
	return nil
}

func read(file string) ([][]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var lines [][]byte
	scanner := bufio.NewScanner(bytes.NewReader(content))
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		lines = append(lines, bytes.Clone(scanner.Bytes()))
	}
	return lines, scanner.Err()
}

// writeZip writes the archive as osv.dev has it: a record is a file.
func writeZip(lines [][]byte, dir string) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(dir, "all.zip"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	archive := zip.NewWriter(file)
	for _, line := range lines {
		var record struct{ ID string }
		if err := json.Unmarshal(line, &record); err != nil {
			return err
		}
		entry, err := archive.Create(record.ID + ".json")
		if err != nil {
			return err
		}
		if _, err := entry.Write(line); err != nil {
			return err
		}
	}
	return archive.Close()
}

// writeDatabase has grype turn records into its own database.
func writeDatabase(lines [][]byte, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	state := provider.State{Provider: "debian", Version: 1, Processor: "distil", Timestamp: time.Now().UTC()}
	writer, err := build.NewWriter(dir, provider.States{state}, false, 0)
	if err != nil {
		return err
	}
	processor, err := operatingSystems()
	if err != nil {
		return err
	}
	for _, line := range lines {
		var record osvRecord
		if err := json.Unmarshal(line, &record); err != nil {
			return err
		}
		for _, item := range record.items() {
			text, err := json.Marshal(item)
			if err != nil {
				return err
			}
			entries, err := processor.Process(bytes.NewReader(text), state)
			if err != nil {
				return fmt.Errorf("%s: %w", record.ID, err)
			}
			if err := writer.Write(entries...); err != nil {
				return fmt.Errorf("%s: %w", record.ID, err)
			}
		}
	}
	if err := writer.Close(); err != nil {
		return err
	}
	if err := grype.Hydrater()(dir); err != nil {
		return err
	}
	_, err = grype.WriteImportMetadata(afero.NewOsFs(), dir, "distil's comparison of scanners")
	return err
}

// operatingSystems gives the processor of what distributions say.
func operatingSystems() (data.Processor, error) {
	const schema = "https://raw.githubusercontent.com/anchore/vunnel/main/schema/vulnerability/os/schema-1.0.0.json"
	for _, processor := range build.Processors(build.NewConfig()) {
		if processor.IsSupported(schema) {
			return processor, nil
		}
	}
	return nil, errors.New("grype has no processor of distributions any more")
}

// vulnerabilities gives the CVEs of a record: its own, or those that an advisory is about.
func (r osvRecord) vulnerabilities() []string {
	if cve, is := strings.CutPrefix(r.ID, "DEBIAN-"); is || strings.HasPrefix(r.ID, "CVE-") {
		return []string{cve}
	}
	seen := map[string]bool{}
	var cves []string
	for _, list := range [][]string{r.Aliases, r.Related, r.Upstream} {
		for _, id := range list {
			if cve := strings.TrimPrefix(id, "DEBIAN-"); strings.HasPrefix(cve, "CVE-") && !seen[cve] {
				seen[cve] = true
				cves = append(cves, cve)
			}
		}
	}
	return cves
}
