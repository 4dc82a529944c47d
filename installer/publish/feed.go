package publish

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// FeedKey is the Atom feed of a region's releases.
const FeedKey = "latest/releases.atom"

// mostEntries bounds the feed; older releases leave it.
const mostEntries = 100

type feed struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Author  string   `xml:"author>name"`
	Link    []link   `xml:"link"`
	Entries []entry  `xml:"entry"`
}

type link struct {
	Rel  string `xml:"rel,attr,omitempty"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type entry struct {
	ID      string `xml:"id"`
	Title   string `xml:"title"`
	Updated string `xml:"updated"`
	Link    []link `xml:"link"`
	Content struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	} `xml:"content"`
}

// feed adds this release to the region's feed.
func (p *publication) feed(ctx context.Context) error {
	notes, err := os.ReadFile(filepath.Join(p.r.Dir, dist.NotesFile))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return p.changeFeed(ctx, p.merge, func(base string, f *feed) {
		f.add(base, p.r.Version, string(notes), p.o.Now())
	})
}

// changeFeed reads the feed, changes it and writes it over the one that was read. Releases that the manifest calls inactive
// leave it. The manifest is read after the feed: so it knows every release that another publication put in. own makes it what this
// run made of it, for a dry run.
func (p *writing) changeFeed(ctx context.Context, own func(*manifests.Manifest), change func(base string, f *feed)) error {
	return retryChange(ctx, func() error {
		old, tag, err := readLimited(ctx, p.to, FeedKey, maxSmall)
		when := When{Tag: tag}
		if errors.Is(err, ErrAbsent) {
			when, err = When{Absent: true}, nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", FeedKey, err)
		}
		m, _, err := readManifest(ctx, p.to)
		if err != nil {
			return err
		}
		if m == nil {
			m = manifests.NewManifest(p.o.UriFormat)
		}
		own(m)
		base := baseOf(m, p.o.Region)
		var f feed
		if xml.Unmarshal(old, &f) != nil || f.ID == "" {
			f = newFeed(base, p.o.Region)
		}
		change(base, &f)
		f.Entries = slices.DeleteFunc(f.Entries, func(e entry) bool { return inactive(m, e.version()) })
		if len(f.Entries) == 0 && when.Absent {
			return nil
		}
		text, err := f.bytes()
		if err != nil {
			return err
		}
		return p.writeSmall(ctx, p.to, FeedKey, text, when)
	})
}

// baseOf is the bucket's address, from the manifest's template.
func baseOf(m *manifests.Manifest, region string) string {
	base, _, _ := strings.Cut(m.UriFormat, "/{PackageName}")
	return strings.ReplaceAll(base, "{Region}", region)
}

func newFeed(base, region string) feed {
	return feed{ID: urn(base), Title: "Releases of amazon-ssm-agent in region " + region, Author: "ssm-setup",
		Link: []link{{Rel: "self", Type: "application/atom+xml", Href: base + "/" + FeedKey}}}
}

// add puts a release in, unless it is there.
func (f *feed) add(base string, v manifests.Version, notes string, now time.Time) {
	id := urn(base + "/" + v.String())
	if slices.ContainsFunc(f.Entries, func(e entry) bool { return e.ID == id }) {
		return
	}
	e := entry{ID: id, Title: titlePrefix + v.String(), Updated: now.UTC().Format(time.RFC3339)}
	e.Link = []link{{Rel: "alternate", Type: "application/json", Href: base + "/" + regions.ManifestKey}}
	e.Content.Type, e.Content.Text = "text", "Version "+v.String()+" is published."
	if notes != "" {
		e.Link[0] = link{Rel: "alternate", Type: "text/markdown", Href: base + "/" + v.String() + "/" + dist.NotesFile}
		e.Content.Text = notes
	}
	f.Entries = append(f.Entries, e)
	f.Updated = e.Updated
}

const titlePrefix = "amazon-ssm-agent "

func (e entry) version() manifests.Version {
	v, _ := manifests.ParseVersion(strings.TrimPrefix(e.Title, titlePrefix))
	return v
}

// bytes is the feed as a file, newest version first.
func (f *feed) bytes() ([]byte, error) {
	slices.SortStableFunc(f.Entries, func(a, b entry) int { return b.version().Compare(a.version()) })
	f.Entries = f.Entries[:min(len(f.Entries), mostEntries)]
	text, err := xml.MarshalIndent(f, "", "  ")
	return bytes.Join([][]byte{[]byte(xml.Header), text, []byte("\n")}, nil), err
}

// inactive tells whether a manifest lists a version only as inactive, or not at all.
func inactive(m *manifests.Manifest, v manifests.Version) bool {
	for _, p := range m.Packages {
		for _, f := range p.Files {
			for _, e := range f.AvailableVersions {
				if e.Version == v.String() && manifests.StatusOf(e) != manifests.Inactive {
					return false
				}
			}
		}
	}
	return true
}

// urn is a name made from a text, the same each time (a UUID of version 5).
func urn(name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).URN()
}
