package main

import "strings"

// osvRecord is what counts of a record of OSV.
type osvRecord struct {
	ID        string
	Details   string
	Published string
	Modified  string
	Withdrawn string
	Aliases   []string
	Related   []string
	Upstream  []string
	Severity  []struct{ Type, Score string }
	Affected  []struct {
		Package struct{ Ecosystem, Name string }
		Ranges  []struct {
			Type   string
			Events []struct{ Fixed string }
		}
		Specific struct{ Urgency string } `json:"ecosystem_specific"`
	}
}

// item is a vulnerability in a release, as vunnel writes it for grype.
type item struct {
	Vulnerability struct {
		Name          string
		NamespaceName string
		Severity      string
		Description   string
		Link          string
		FixedIn       []fixedIn
		Metadata      struct{ Issued, Updated string }
	}
}

type fixedIn struct {
	Name           string
	NamespaceName  string
	Version        string
	VersionFormat  string
	VendorAdvisory struct{ NoAdvisory bool }
}

// severities are vunnel's words for those of the tracker. What Debian has not rated is left for the NVD to say.
var severities = map[string]string{"unimportant": "Negligible", "low": "Low", "medium": "Medium", "high": "High"}

// items gives one item for each vulnerability and release, since that is how vunnel keeps them.
func (r osvRecord) items() []item {
	if r.Withdrawn != "" {
		return nil
	}
	var items []item
	for _, cve := range r.vulnerabilities() {
		at := map[string]int{}
		for _, affected := range r.Affected {
			release, is := strings.CutPrefix(affected.Package.Ecosystem, "Debian:")
			if !is {
				continue
			}
			namespace := "debian:" + release
			number, known := at[namespace]
			if !known {
				var made item
				v := &made.Vulnerability
				v.Name, v.NamespaceName, v.Description = cve, namespace, r.Details
				v.Severity, v.Link = "Unknown", "https://security-tracker.debian.org/tracker/"+cve
				v.Metadata.Issued, v.Metadata.Updated = r.Published, r.Modified
				number = len(items)
				items, at[namespace] = append(items, made), number
			}
			fixed := fixedIn{Name: affected.Package.Name, NamespaceName: namespace, Version: "None", VersionFormat: "dpkg"}
			for _, span := range affected.Ranges {
				for _, event := range span.Events {
					if event.Fixed != "" {
						fixed.Version = event.Fixed
					}
				}
			}
			v := &items[number].Vulnerability
			v.FixedIn = append(v.FixedIn, fixed)
			if word := severities[affected.Specific.Urgency]; word != "" {
				v.Severity = word
			}
		}
	}
	return items
}
