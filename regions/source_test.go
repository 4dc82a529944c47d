package regions_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions"
)

func source(t *testing.T, text string) regions.Source {
	t.Helper()
	s, err := regions.ParseSource(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func TestASourceNamesTheBucketOfEachRegion(t *testing.T) {
	for _, row := range []struct {
		text     string
		kind     regions.SourceKind
		region   string
		endpoint string
		base     string
	}{
		{"", regions.Amazon, "eu-west-1", "", "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1"},
		{"", regions.Amazon, "local", "http://127.0.0.1:7700", "http://127.0.0.1:7700/amazon-ssm-local"},
		{"https://s3.{Region}.{DnsSuffix}/my-ssm-{Region}", regions.Template, "eu-west-1", "http://127.0.0.1:7700",
			"https://s3.eu-west-1.amazonaws.com/my-ssm-eu-west-1"},
		{"https://s3.{Region}.{DnsSuffix}/my-ssm-{Region}/", regions.Template, "cn-north-1", "",
			"https://s3.cn-north-1.amazonaws.com.cn/my-ssm-cn-north-1"},
		{"https://s3.{Region}.amazonaws.com/amazon-ssm-{Region}/ssm-agent-manifest.json", regions.Template, "eu-west-1", "",
			"https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1"},
		{"https://files.example/one/ssm-agent-manifest.json", regions.Template, "eu-west-1", "", "https://files.example/one"},
		{"s3://my-ssm-{Region}", regions.InS3, "us-gov-east-1", "", "https://s3.us-gov-east-1.amazonaws.com/my-ssm-us-gov-east-1"},
		{"s3://my-ssm/ssm/{Region}/", regions.InS3, "eu-west-1", "", "https://s3.eu-west-1.amazonaws.com/my-ssm/ssm/eu-west-1"},
		{"s3://my-ssm/ssm?region=us-east-1", regions.InS3, "eu-west-1", "", "https://s3.us-east-1.amazonaws.com/my-ssm/ssm"},
		{"s3://my-ssm-{Region}/a", regions.InS3, "local", "http://127.0.0.1:7700/", "http://127.0.0.1:7700/my-ssm-local/a"},
		{"https://mirror.example/ssm/", regions.Mirror, "eu-west-1", "https://elsewhere", "https://mirror.example/ssm/amazon-ssm-eu-west-1"},
		{"HTTP://mirror.example", regions.Mirror, "local", "", "HTTP://mirror.example/amazon-ssm-local"},
	} {
		s := source(t, row.text)
		base, err := s.Base(row.region, row.endpoint)
		if err != nil || base != row.base || s.Kind() != row.kind {
			t.Errorf("%q for %s: %s %q, %v; want %s %q", row.text, row.region, s.Kind(), base, err, row.kind, row.base)
		}
		if again := source(t, s.String()); again != s {
			t.Errorf("%q is written as %q, which is another source", row.text, s)
		}
	}
}

func TestWhatIsNoSourceIsRefused(t *testing.T) {
	for _, text := range []string{"ftp://mirror.example", "s3://", "s3:///prefix", "s3://my bucket", "s3://b/../c", "s3://b?versionId=1",
		"s3://b?region=eu_west", "https://", "https://s3.{region}.amazonaws.com/x", "https://mirror.example/{Version}", "https://m.example?a=b",
		"file://other-machine/folder", "https://m.example/\nx"} {
		if s, err := regions.ParseSource(text); !errors.Is(err, regions.ErrSource) {
			t.Errorf("%q is %s %q, %v", text, s.Kind(), s, err)
		}
	}
	if _, err := source(t, "s3://b").Base("no region", ""); !errors.Is(err, regions.ErrRegion) {
		t.Errorf("a bad region name: %v", err)
	}
}

func TestAFolderIsAMirrorOrOneBucket(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	for _, folder := range []string{at("mirror", "amazon-ssm-eu-west-1"), at("one")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, regions.ManifestKey), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{
		at("mirror"):                at("mirror", "amazon-ssm-eu-west-1"),
		at("mirror") + "/":          at("mirror", "amazon-ssm-eu-west-1"),
		at("one"):                   at("one"),
		at("missing"):               at("missing", "amazon-ssm-eu-west-1"),
		at("by-region", "{Region}"): at("by-region", "eu-west-1"),
	} {
		base, err := source(t, text).Base("eu-west-1", "")
		folder, ok := regions.FolderOf(base)
		if err != nil || !ok || folder != want {
			t.Errorf("%s is %s (%q), %v; want %s", text, base, folder, err, want)
		}
		if again := source(t, base); again.String() != want {
			t.Errorf("%s is read as %s", base, again)
		}
	}
	relative, err := source(t, "some/folder").Absolute()
	if path, ok := relative.Directory(); err != nil || !ok || !filepath.IsAbs(path) {
		t.Errorf("made absolute: %s, %v", path, err)
	}
}

func TestAFolderOfWindowsHasAnAddress(t *testing.T) {
	if runtime.GOOS != "windows" {
		t.Skip("paths of Windows")
	}
	for _, path := range []string{`C:\mirror\amazon-ssm-local`, `\\server\share\mirror\amazon-ssm-local`} {
		base, err := source(t, path+`\{Region}`).Base("local", "")
		if folder, ok := regions.FolderOf(base); err != nil || !ok || folder != path+`\local` {
			t.Errorf("%s is %s (%q), %v", path, base, folder, err)
		}
	}
}

func TestThePlaceInS3IsKnownWhereASourceIsThere(t *testing.T) {
	for text, want := range map[string][3]string{
		"":                                      {"amazon-ssm-eu-west-1", "", "eu-west-1"},
		"s3://my-ssm-{Region}":                  {"my-ssm-eu-west-1", "", "eu-west-1"},
		"s3://my/ssm/{Region}?region=us-east-1": {"my", "ssm/eu-west-1", "us-east-1"},
		"https://s3.{Region}.{DnsSuffix}/my-ssm-{Region}":     {"my-ssm-eu-west-1", "", "eu-west-1"},
		"https://s3.{Region}.{DnsSuffix}/my/a/b-{Region}":     {"my", "a/b-eu-west-1", "eu-west-1"},
		"https://my.s3.{Region}.{DnsSuffix}/a/{Region}/my/":   {"my", "a/eu-west-1/my", "eu-west-1"},
		"https://mirror.example/{Region}":                     {},
		"https://mirror.example":                              {},
		"/srv/mirror":                                         {},
		"http://s3.eu-west-1.amazonaws.com/my-ssm-{Region}/x": {},
	} {
		bucket, prefix, at, ok := source(t, text).S3("eu-west-1")
		if got := [3]string{bucket, prefix, at}; got != want || ok != (want != [3]string{}) {
			t.Errorf("%q: %q, %v; want %q", text, got, ok, want)
		}
	}
}

func TestASourceOverPlainHTTPIsKnownAndSecretsInIt(t *testing.T) {
	for text, insecure := range map[string]bool{"http://mirror.example": true, "http://10.0.0.1/{Region}": true, "http://127.0.0.1:80": false,
		"https://mirror.example": false, "s3://my-ssm": false, "/srv/mirror": false, "": false} {
		s := source(t, text)
		if err := s.CheckNew(false); errors.Is(err, regions.ErrInsecure) != insecure || s.Insecure() != insecure {
			t.Errorf("%s: %v", text, err)
		}
		if s.CheckNew(true) != nil || s.HasSecret() {
			t.Errorf("%s is refused though it is allowed, or has a secret", text)
		}
	}
	s := source(t, "https://alice:secret@mirror.example/{Region}")
	if !s.HasSecret() || s.For("eu-west-1") != "https://xxxxx@mirror.example/{Region}" {
		t.Errorf("a secret is shown: %s", s.For("eu-west-1"))
	}
}

func TestUpperCaseOfARegionIsForgiven(t *testing.T) {
	for text, want := range map[string]string{"EU-WEST-1": "eu-west-1", " eu-west-1 ": "eu-west-1", "LOCAL": "local", "MyRegion": "MyRegion"} {
		if got := regions.Forgive(text); got != want {
			t.Errorf("%q is %q", text, got)
		}
	}
}
