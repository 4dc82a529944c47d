package console

import (
	"bufio"
	"bytes"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// release is one version that the region has packages of (docs/protocol/update.md, "Bucket layout").
type release struct {
	Version   string
	Published time.Time // when the last of its packages came
	Files     []releaseFile
	Size      int64
	Signed    int      // files with a signature beside them
	Marks     []string // newest, stable
	Status    string   // as the manifest lists it; "" where it does not
	Hosts     int
}

type releaseFile struct {
	local.Object
	Name      string
	Signature string // the name of the file with its signature; empty: none lies beside it
	SHA256    string // as the release's list says
}

// releaseList is what the region's bucket holds, the newest version first.
type releaseList struct {
	All            []release
	Latest, Stable string   // as the VERSION files say, "" without one
	SignedLists    []string // signatures of package lists
	Key            bool     // the public key of the package lists lies there
}

// packageFolders are where packages of a version lie: <folder>/<version>/<file>.
var packageFolders = []string{"amazon-ssm-agent", "amazon-ssm-agent-updater", "ssm-setup"}

// sums is the list of a release's files with their hashes.
const sums = "SHA256SUMS"

func (c *Console) releases() (l releaseList, err error) {
	objects, err := c.region.Objects("")
	if err != nil {
		return l, err
	}
	l.Latest, l.Stable = c.word(regions.LatestVersionKey), c.word(regions.StableVersionKey)
	at := map[string]*release{}
	keys := map[string]bool{}
	for _, o := range objects {
		keys[o.Key] = true
	}
	for _, o := range objects {
		switch base := path.Base(o.Key); {
		case base == "InRelease" || base == "Release.gpg" || base == "repomd.xml.asc":
			l.SignedLists = append(l.SignedLists, o.Key)
		case o.Key == "ssm-setup.asc":
			l.Key = true
		}
		version := versionOf(o.Key)
		if version == "" || signature(o.Key) {
			continue
		}
		r := at[version]
		if r == nil {
			r = &release{Version: version}
			at[version] = r
		}
		f := releaseFile{Object: o, Name: o.Key}
		for _, end := range []string{".sig", ".asc"} {
			if keys[o.Key+end] {
				f.Signature = path.Base(o.Key) + end
				r.Signed++
				break
			}
		}
		r.Files, r.Size = append(r.Files, f), r.Size+o.Size
		if o.Modified.After(r.Published) && !strings.HasPrefix(o.Key, version) {
			r.Published = o.Modified
		}
	}
	status := c.statuses()
	for _, r := range at {
		r.Status = status[r.Version]
		for _, m := range []struct{ version, mark string }{{l.Latest, "newest"}, {l.Stable, "stable"}} {
			if m.version == r.Version {
				r.Marks = append(r.Marks, m.mark)
			}
		}
		l.All = append(l.All, *r)
	}
	slices.SortFunc(l.All, func(a, b release) int { return compareVersions(b.Version, a.Version) })
	return l, nil
}

// versionOf is the version a key belongs to; "" for none.
func versionOf(key string) string {
	first, rest, _ := strings.Cut(key, "/")
	if slices.Contains(packageFolders, first) {
		first, _, _ = strings.Cut(rest, "/")
	}
	if _, err := manifests.ParseVersion(first); err != nil {
		return ""
	}
	return first
}

func signature(key string) bool {
	return strings.HasSuffix(key, ".sig") || strings.HasSuffix(key, ".asc")
}

// word is a small text object; "" where there is none.
func (c *Console) word(key string) string {
	text, err := c.region.Get(key)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text[:min(len(text), 64)]))
}

// statuses are those of the manifest: a version is Active where a file of it is.
func (c *Console) statuses() map[string]string {
	all := map[string]string{}
	text, err := c.region.Get(regions.ManifestKey)
	if err != nil {
		return all
	}
	m, err := manifests.ParseManifest(text)
	if err != nil {
		return all
	}
	for _, p := range m.Packages {
		for _, f := range p.Files {
			for _, v := range f.AvailableVersions {
				if s := manifests.StatusOf(v); all[v.Version] != "Active" {
					all[v.Version] = s
				}
			}
		}
	}
	return all
}

type releasesView struct {
	releaseList
	Hosts int
	Moves []move // from the newest release's publication on
}

func (c *Console) releasesPage(*request) (any, error) {
	l, err := c.releases()
	if err != nil {
		return nil, err
	}
	v := releasesView{releaseList: l}
	hosts := c.region.Instances()
	v.Hosts = len(hosts)
	for i := range v.All {
		for _, h := range hosts {
			if h.AgentVersion == v.All[i].Version {
				v.All[i].Hosts++
			}
		}
	}
	return v, nil
}

// move is the moment a host was first seen with a release.
type move struct {
	Host, Name string
	From       string // the version before; "" where none was seen
	At         time.Time
	After      time.Duration // since the publication
	Place      int           // percent of the time line
}

// releaseView is one release: its files, who runs it, and how hosts came to it.
type releaseView struct {
	release
	Runs  []local.Instance
	Moves []move
	Span  time.Duration // the length of the time line
	Left  int           // hosts that run another version
}

func (c *Console) releasePage(r *request) (any, error) {
	l, err := c.releases()
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(l.All, func(x release) bool { return x.Version == r.arg })
	if at < 0 {
		return nil, errNone
	}
	v := releaseView{release: l.All[at]}
	listed := c.sumsOf(v.Version)
	for i, f := range v.Files {
		v.Files[i].SHA256 = listed[path.Base(f.Name)]
	}
	for _, h := range c.region.Instances() {
		if h.AgentVersion == v.Version {
			v.Runs = append(v.Runs, h)
		} else {
			v.Left++
		}
		seen, err := c.history(h.InstanceID)
		if err != nil {
			return nil, err
		}
		if m, ok := moved(seen, v.Version, v.Published); ok {
			m.Host, m.Name = h.InstanceID, h.Agent.ComputerName
			v.Moves = append(v.Moves, m)
		}
	}
	slices.SortFunc(v.Moves, func(a, b move) int { return a.At.Compare(b.At) })
	if n := len(v.Moves); n > 0 {
		v.Span = v.Moves[n-1].After
	}
	for i := range v.Moves {
		v.Moves[i].Place = share(int(v.Moves[i].After.Milliseconds()), int(max(v.Span, time.Millisecond).Milliseconds()))
	}
	return v, nil
}

// moved finds when a host was first seen with a version after its publication.
func moved(h history, version string, published time.Time) (move, bool) {
	for i, s := range h.Versions {
		if s.Version != version || s.First.Before(published) {
			continue
		}
		m := move{At: s.First, After: s.First.Sub(published).Round(time.Millisecond)}
		if i > 0 {
			m.From = h.Versions[i-1].Version
		}
		return m, true
	}
	return move{}, false
}

// sumsOf are the hashes that a release's list names, by file name.
func (c *Console) sumsOf(version string) map[string]string {
	all := map[string]string{}
	text, err := c.region.Get(version + "/" + sums)
	if err != nil {
		return all
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if sum, name, ok := strings.Cut(lines.Text(), "  "); ok {
			all[path.Base(name)] = sum
		}
	}
	return all
}
