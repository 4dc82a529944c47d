// Package atom makes the Atom feed of a region's releases (RFC 4287), newest version first.
//
// What must always be true: a release has one entry, with the same name in every run; a text that is no feed begins a new one.
package atom

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Key is the feed's place in a bucket.
const Key = "latest/releases.atom"

// mostEntries bounds the feed; older releases leave it.
const mostEntries = 100

// Feed is the feed as it is written.
type Feed struct {
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

// Read reads a feed; what is none becomes an empty one, for the bucket at an address.
func Read(old []byte, base, region string) Feed {
	var f Feed
	if xml.Unmarshal(old, &f) != nil || f.ID == "" {
		f = newFeed(base, region)
	}
	return f
}

// Drop takes releases out.
func (f *Feed) Drop(gone func(manifests.Version) bool) {
	f.Entries = slices.DeleteFunc(f.Entries, func(e entry) bool { return gone(e.version()) })
}

func newFeed(base, region string) Feed {
	return Feed{ID: urn(base), Title: "Releases of amazon-ssm-agent in region " + region, Author: "ssm-setup",
		Link: []link{{Rel: "self", Type: "application/atom+xml", Href: base + "/" + Key}}}
}

// Add puts a release in, unless it is there.
func (f *Feed) Add(base string, v manifests.Version, notes string, now time.Time) {
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

// Bytes is the feed as a file, newest version first.
func (f *Feed) Bytes() ([]byte, error) {
	slices.SortStableFunc(f.Entries, func(a, b entry) int { return b.version().Compare(a.version()) })
	f.Entries = f.Entries[:min(len(f.Entries), mostEntries)]
	text, err := xml.MarshalIndent(f, "", "  ")
	return bytes.Join([][]byte{[]byte(xml.Header), text, []byte("\n")}, nil), err
}

// urn is a name made from a text, the same each time (a UUID of version 5).
func urn(name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).URN()
}
