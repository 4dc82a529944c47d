package publish_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// offered are the versions that apt's suite and yum's folder of a name offer, which must be the same.
func offered(t *testing.T, at target.Target, suite string) (versions []string) {
	t.Helper()
	for line := range strings.Lines(read(t, at, "dists/"+suite+"/main/binary-amd64/Packages")) {
		if file, ok := strings.CutPrefix(line, "Filename: amazon-ssm-agent/"); ok {
			versions = append(versions, strings.Split(file, "/")[0])
		}
	}
	var inYum []string
	_, rest, _ := strings.Cut(read(t, at, suite+"/repodata/repomd.xml"), `<location href="`)
	name, _, _ := strings.Cut(rest, `"`)
	z, err := gzip.NewReader(strings.NewReader(read(t, at, suite+"/"+name)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(text), `href="../amazon-ssm-agent/`)[1:] {
		inYum = append(inYum, strings.Split(part, "/")[0])
	}
	if slices.Sort(versions); !slices.Equal(versions, inYum) {
		t.Errorf("%s: apt has %v, yum %v", suite, versions, inYum)
	}
	return versions
}

func TestStableOffersWhatWasPromotedAndLatestAll(t *testing.T) {
	ctx, to := context.Background(), target.Folder(t.TempDir())
	o := publish.Options{UriFormat: template, Repositories: true}
	expect := func(what, stable, latest string) {
		t.Helper()
		if got := strings.Join(offered(t, to, "stable"), " "); got != stable {
			t.Errorf("%s: stable offers %q, not %q", what, got, stable)
		}
		if got := strings.Join(offered(t, to, "latest"), " "); got != latest {
			t.Errorf("%s: latest offers %q, not %q", what, got, latest)
		}
	}
	publishTo(t, to, release(t, "9.1.0.0", "one"), o)
	if res := publishTo(t, to, release(t, "9.2.0.0", "two"), o); !res.Stable.IsZero() {
		t.Errorf("nothing was promoted: %+v", res.Stable)
	}
	expect("before the first promotion", "9.1.0.0 9.2.0.0", "9.1.0.0 9.2.0.0")
	if res, err := publish.Promote(ctx, to, manifests.MustVersion("9.1.0.0"), o); err != nil || res.Stable.String() != "9.1.0.0" {
		t.Fatal(res, err)
	}
	expect("9.1 promoted", "9.1.0.0", "9.1.0.0 9.2.0.0")
	if res := publishTo(t, to, release(t, "9.3.0.0", "three"), o); res.Stable.String() != "9.1.0.0" {
		t.Errorf("%+v", res.Stable)
	}
	expect("9.3 published", "9.1.0.0", "9.1.0.0 9.2.0.0 9.3.0.0")
	if _, err := publish.Promote(ctx, to, manifests.MustVersion("9.2.0.0"), o); err != nil {
		t.Fatal(err)
	}
	expect("9.2 promoted", "9.1.0.0 9.2.0.0", "9.1.0.0 9.2.0.0 9.3.0.0")
	res, err := publish.Mark(ctx, to, manifests.MustVersion("9.2.0.0"), manifests.Inactive, o)
	if err != nil || res.Stable.String() != "9.2.0.0" {
		t.Fatal(res, err)
	}
	expect("9.2 withdrawn", "9.1.0.0", "9.1.0.0 9.3.0.0")
}

// promote writes indexes, too: they stay signed, by a key that clients have.
func TestPromoteKeepsRepositoriesSigned(t *testing.T) {
	ctx, to := context.Background(), &recorder{Target: target.Folder(t.TempDir())}
	one := release(t, "9.1.0.0", "one")
	publishTo(t, to, one, publish.Options{Repositories: true, Sign: &key{}})
	to.writes = nil
	if _, err := publish.Promote(ctx, to, one.Version, publish.Options{Repositories: true}); !errors.Is(err, publish.ErrSigned) ||
		len(to.writes) > 0 {
		t.Errorf("without the key: %v, written %v", err, to.writes)
	}
	for _, at := range []string{"repodata/repomd.xml.key", "stable/repodata/repomd.xml.key", "latest/repodata/repomd.xml.key"} {
		if read(t, to, at) != read(t, to, publish.KeyKey) {
			t.Errorf("%s is not the key that zypper asks for", at)
		}
	}
}
