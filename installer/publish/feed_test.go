package publish_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// atom is a feed as a reader of RFC 4287 sees it.
type atom struct {
	XMLName xml.Name  `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string    `xml:"id"`
	Title   string    `xml:"title"`
	Updated time.Time `xml:"updated"`
	Author  []string  `xml:"author>name"`
	Links   []struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	} `xml:"link"`
	Entries []struct {
		ID      string    `xml:"id"`
		Title   string    `xml:"title"`
		Updated time.Time `xml:"updated"`
		Content struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"content"`
	} `xml:"entry"`
}

// readAtom reads a feed and checks what RFC 4287 asks for.
func readAtom(t *testing.T, at target.Target) atom {
	t.Helper()
	var f atom
	d := xml.NewDecoder(strings.NewReader(read(t, at, publish.FeedKey)))
	d.Strict = true
	if err := d.Decode(&f); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{f.ID: true}
	if !strings.HasPrefix(f.ID, "urn:uuid:") || f.Title == "" || f.Updated.IsZero() || len(f.Author) == 0 || len(f.Links) == 0 ||
		f.Links[0].Rel != "self" || !strings.HasSuffix(f.Links[0].Href, "/"+publish.FeedKey) {
		t.Errorf("%+v", f)
	}
	for _, e := range f.Entries {
		if !strings.HasPrefix(e.ID, "urn:uuid:") || seen[e.ID] || e.Title == "" || e.Updated.IsZero() || e.Updated.After(f.Updated) ||
			e.Content.Text == "" {
			t.Errorf("%+v", e)
		}
		seen[e.ID] = true
	}
	return f
}

// A subscriber sees each new release once, newest version first: ids and times of those before do not change, whatever is
// published or promoted after them.
func TestASubscriberSeesEachReleaseOnce(t *testing.T) {
	to := target.Folder(t.TempDir())
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	o := publish.Options{Region: "local", Now: func() time.Time { return now }}
	var before atom
	for i, version := range []string{"9.1.0.0", "9.3.0.0", "9.2.0.0"} {
		r := release(t, version, version)
		notes := filepath.Join(r.Dir, dist.NotesFile)
		if err := os.WriteFile(notes, []byte("<b>& notes of "+version+"]]></b>\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		publishTo(t, to, r, o)
		f := readAtom(t, to)
		if len(f.Entries) != i+1 || f.ID != before.ID && i > 0 || !f.Updated.Equal(now) {
			t.Fatalf("after %s: %+v", version, f)
		}
		old := map[string]time.Time{}
		for _, e := range before.Entries {
			old[e.ID] = e.Updated
		}
		fresh := 0
		for _, e := range f.Entries {
			if when, known := old[e.ID]; known && !when.Equal(e.Updated) {
				t.Errorf("%s has the time %s, before %s", e.Title, e.Updated, when)
			} else if !known {
				if fresh++; e.Title != "amazon-ssm-agent "+version || !strings.Contains(e.Content.Text, "& notes of "+version+"]]></b>") {
					t.Errorf("%+v", e)
				}
			}
		}
		if fresh != 1 {
			t.Errorf("%d new entries after %s", fresh, version)
		}
		before, now = f, now.Add(time.Hour)
		text := read(t, to, publish.FeedKey)
		publishTo(t, to, r, o)
		if read(t, to, publish.FeedKey) != text {
			t.Error("published again, the feed changes")
		}
	}
	if before.Entries[0].Title != "amazon-ssm-agent 9.3.0.0" || before.Entries[2].Title != "amazon-ssm-agent 9.1.0.0" {
		t.Errorf("%+v", before.Entries)
	}
}

// A feed that is damaged, or was made by others, is no reason to stop; what comes out can be read.
func FuzzFeed(f *testing.F) {
	f.Add([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><id>x</id><entry><id>y</id><title>amazon-ssm-agent 9.1.0.0</title></entry></feed>`))
	f.Add([]byte("<html>"))
	m := manifests.NewManifest(template)
	m.Add(manifests.AgentPackage, "amazon-ssm-agent-portable-linux-amd64.tar.gz",
		manifests.FileVersion{Version: "9.1.0.0", Checksum: sum("x")})
	f.Fuzz(func(t *testing.T, old []byte) {
		to := target.Folder(t.TempDir())
		ctx := context.Background()
		for key, text := range map[string][]byte{regions.ManifestKey: m.Bytes(), publish.FeedKey: old} {
			if err := to.Write(ctx, key, bytes.NewReader(text), host.SHA256Bytes(text), target.When{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := publish.Mark(ctx, to, manifests.MustVersion("9.1.0.0"), manifests.Deprecated, publish.Options{}); err != nil {
			t.Fatal(err)
		}
		var f atom
		if err := xml.Unmarshal([]byte(read(t, to, publish.FeedKey)), &f); err != nil && !strings.Contains(err.Error(), "parsing time") {
			t.Error(err)
		}
	})
}
