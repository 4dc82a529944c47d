package publish_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
)

// hashedLists are the lists in a folder that lie under their hashes.
func hashedLists(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	for _, pattern := range []string{"dists/stable/main/*/by-hash/SHA256/*", "repodata/*-*.xml.gz"} {
		found, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			key, _ := filepath.Rel(dir, f)
			list = append(list, filepath.ToSlash(key))
		}
	}
	slices.Sort(list)
	return list
}

// namedLists are those that the indexes which are served name.
func namedLists(t *testing.T, at target.Target) []string {
	t.Helper()
	var list []string
	for _, found := range regexp.MustCompile(`(?m)^ ([0-9a-f]{64}) +[0-9]+ (main/binary-[a-z0-9]+)/`).FindAllStringSubmatch(read(t, at,
		"dists/stable/Release"), -1) {
		list = append(list, "dists/stable/"+found[2]+"/by-hash/SHA256/"+found[1])
	}
	for _, found := range regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(read(t, at, "repodata/repomd.xml"), -1) {
		list = append(list, found[1])
	}
	slices.Sort(list)
	return list
}

// A client that has read an index finds its lists for a day, and while it is among the last few; then they go.
func TestListsOfOldIndexesStayForADay(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Unix(1800000000, 0)
	to := target.Folder(dir)
	o := publish.Options{Repositories: true, Now: func() time.Time { return now }}
	var served [][]string
	step := func(version int, wait time.Duration) publish.Result {
		now = now.Add(wait)
		res := publishTo(t, to, release(t, fmt.Sprintf("9.%d.0.0", version), "one"), o)
		served = append(served, namedLists(t, to))
		return res
	}
	check := func(what string, kept int) {
		t.Helper()
		have := hashedLists(t, dir)
		for i, names := range served {
			for _, key := range names {
				if want := i >= len(served)-kept; slices.Contains(have, key) != want {
					t.Errorf("%s: list %s of index %d of %d is there: %v", what, key, i+1, len(served), !want)
				}
			}
		}
		if len(have) != 6*kept {
			t.Errorf("%s: %d lists, %d indexes are kept", what, len(have), kept)
		}
	}
	for v := range 6 { // within a day all stay
		step(v+1, time.Hour)
	}
	check("a busy day", 6)
	res := step(7, 48*time.Hour)
	check("two days later", 4)
	if n := removed(res); n != 3*15 { // two suites and three folders
		t.Errorf("%d lists are said to be removed", n)
	}
	for v := range 3 {
		step(v+8, 7*24*time.Hour)
		check("once a week", 4)
	}
	// nothing new: nothing is removed, however late
	now = now.Add(1000 * time.Hour)
	if res := publishTo(t, to, release(t, "9.10.0.0", "one"), o); removed(res) != 0 {
		t.Error("lists were removed though nothing changed")
	}
	check("nothing new", 4)
	// a dry run says it, and does not do it
	now = now.Add(time.Hour)
	dry := o
	dry.DryRun = true
	publishTo(t, to, release(t, "9.11.0.0", "one"), dry)
	check("dry run", 4)
}

func removed(res publish.Result) (n int) {
	for _, s := range res.Steps {
		if s.Action == publish.Removed {
			n++
		}
	}
	return n
}

// A publication that stops at any of its writes or removals leaves all that the served index names, and no list for good.
func TestAPublicationThatStopsLeavesTheListsOfItsIndex(t *testing.T) {
	t.Parallel()
	now := time.Unix(1800000000, 0)
	releases := map[int]*dist.Release{}
	for v := 1; v <= 6; v++ {
		releases[v] = release(t, fmt.Sprintf("9.%d.0.0", v), "one")
	}
	o := publish.Options{Repositories: true, UriFormat: template, Now: func() time.Time { return now }}
	before := t.TempDir()
	for v := 1; v <= 5; v++ {
		now = now.Add(48 * time.Hour)
		publishTo(t, target.Folder(before), releases[v], o)
	}
	now = now.Add(48 * time.Hour)
	for stop := 0; ; stop++ {
		dir := filepath.Join(t.TempDir(), "region")
		if err := os.CopyFS(dir, os.DirFS(before)); err != nil {
			t.Fatal(err)
		}
		at := &stopping{Target: target.Folder(dir), left: stop}
		_, err := publish.Publish(context.Background(), at, releases[6], o)
		have := hashedLists(t, dir)
		for _, key := range namedLists(t, target.Folder(dir)) {
			if !slices.Contains(have, key) {
				t.Fatalf("stopped after %d: the index names %s, which is not there", stop, key)
			}
		}
		if err == nil {
			break
		}
		if !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		publishTo(t, target.Folder(dir), releases[6], o)
		if _, err := publish.Mark(context.Background(), target.Folder(dir), releases[1].Version, "Inactive",
			publish.Options{Repositories: true, Now: func() time.Time { return now.Add(48 * time.Hour) }}); err != nil {
			t.Fatal(err)
		}
		if n := len(hashedLists(t, dir)); n != 4*6 {
			t.Errorf("stopped after %d: %d lists stay", stop, n)
		}
	}
}

var errStop = errors.New("stopped")

// stopping lets some changes through.
type stopping struct {
	target.Target
	left int
}

func (s *stopping) may(key string) error {
	if !strings.HasPrefix(key, "dists/") && !strings.HasPrefix(key, "repodata/") {
		return nil
	}
	if s.left--; s.left < 0 {
		return errStop
	}
	return nil
}

func (s *stopping) Write(ctx context.Context, key string, body io.ReadSeeker, sum string, when target.When) error {
	if err := s.may(key); err != nil {
		return err
	}
	return s.Target.Write(ctx, key, body, sum, when)
}

func (s *stopping) Remove(ctx context.Context, key string) error {
	if err := s.may(key); err != nil {
		return err
	}
	return s.Target.Remove(ctx, key)
}

// A region from before there were records: its lists are known from its index.
func TestListsWithoutARecordAreKnownFromTheIndex(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Unix(1800000000, 0)
	to := target.Folder(dir)
	o := publish.Options{Repositories: true, Now: func() time.Time { return now }}
	publishTo(t, to, release(t, "9.1.0.0", "one"), o)
	first := namedLists(t, to)
	for i, content := range []string{"", "{broken"} {
		for _, record := range []string{"dists/stable/lists.json", "repodata/lists.json"} {
			path := filepath.Join(dir, filepath.FromSlash(record))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if content != "" {
				os.WriteFile(path, []byte(content), 0o644)
			}
		}
		now = now.Add(48 * time.Hour)
		publishTo(t, to, release(t, fmt.Sprintf("9.%d.0.0", i+2), "one"), o)
	}
	var record struct{ Indexes []struct{ Keys []string } }
	if err := json.Unmarshal([]byte(read(t, to, "repodata/lists.json")), &record); err != nil || len(record.Indexes) != 2 {
		t.Errorf("%+v, %v", record, err)
	}
	have := hashedLists(t, dir)
	for _, key := range first {
		if !slices.Contains(have, key) {
			t.Errorf("%s is gone", key)
		}
	}
}
