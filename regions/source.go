package regions

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrSource says that a text names no place that packages come from.
var ErrSource = fault.New(fault.Usage, "not a source",
	"a source is an address with {Region} in it, s3://bucket/prefix, the address of a mirror, or a folder")

// SourceKind is the form of a source.
type SourceKind string

// The forms of a source.
const (
	Amazon   SourceKind = "amazon"   // none was named: Amazon's own bucket of the region
	Template SourceKind = "template" // address of a bucket, https://s3.{Region}.{DnsSuffix}/my-ssm-{Region}
	InS3     SourceKind = "bucket"   // s3://my-ssm-{Region}/prefix
	Mirror   SourceKind = "mirror"   // address of a web server with one folder amazon-ssm-<region> for each region
	Folder   SourceKind = "folder"   // folder of such a mirror, or of one bucket, on a disk or stick
)

// Source is where packages come from. Registration and commands go to the service's endpoint, which is another matter. The zero value is
// Amazon's own bucket of the region. Sources are compared with ==.
type Source struct {
	kind SourceKind
	text string // without a slash at its end
	at   string // region a bucket lies in, where that is not the one it serves
}

// ParseSource reads what people write, {Region} and {DnsSuffix} standing for a region's name and its partition's domain:
//
//   - an address with {Region}, or one that ends with the manifest's name: the bucket at that address (a manifest's name is cut off);
//   - s3://bucket, s3://bucket/prefix, and ?region=R behind where the bucket lies in one region only;
//   - another http or https address: the root of a mirror;
//   - file:///folder, or a text without "://": a folder.
//
// The empty text is the zero source. [ErrSource] refuses all else. A relative folder stays relative: see [Source.Absolute].
func ParseSource(text string) (Source, error) {
	text = strings.TrimSpace(text)
	scheme, rest, isAddress := strings.Cut(text, "://")
	switch {
	case text == "":
		return Source{}, nil
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Source{}, fmt.Errorf("%w: %q holds control characters", ErrSource, fault.Redact(text))
	case !isAddress:
		return Source{kind: Folder, text: trimFolder(text)}, nil
	}
	switch strings.ToLower(scheme) {
	case "file":
		return folderAddress(text, rest)
	case "s3":
		return inS3(text, rest)
	case "http", "https":
		return webAddress(text)
	}
	return Source{}, fmt.Errorf("%w: %s has a protocol that is not https, http, s3 or file", ErrSource, fault.Redact(text))
}

func trimFolder(path string) string {
	return cmp.Or(strings.TrimRight(path, "/"), "/")
}

// folderAddress reads file:///folder, also as it names the manifest in it. A Windows path is file:///C:/folder.
func folderAddress(text, rest string) (Source, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host != "" && u.Host != "localhost" || !strings.HasPrefix(u.Path, "/") {
		return Source{}, fmt.Errorf("%w: %s is no address of a folder: file:///folder", ErrSource, fault.Redact(text))
	}
	path := strings.TrimSuffix(u.Path, "/"+ManifestKey)
	if len(path) > 2 && path[2] == ':' { // a drive
		path = path[1:]
	}
	return Source{kind: Folder, text: trimFolder(filepath.FromSlash(path))}, nil
}

// inS3 reads bucket/prefix?region=R.
func inS3(text, rest string) (Source, error) {
	rest, query, _ := strings.Cut(rest, "?")
	rest = strings.TrimRight(rest, "/")
	s := Source{kind: InS3, text: "s3://" + rest}
	bucket, _, _ := strings.Cut(rest, "/")
	if query != "" {
		var ok bool
		if s.at, ok = strings.CutPrefix(query, "region="); !ok || Check(s.at) != nil {
			return Source{}, fmt.Errorf("%w: %s: only ?region=R may stand behind a bucket", ErrSource, fault.Redact(text))
		}
	}
	plain := strings.ReplaceAll(bucket, "{Region}", "r")
	if bucket == "" || strings.Trim(plain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != "" ||
		strings.Contains("/"+rest+"/", "/../") {
		return Source{}, fmt.Errorf("%w: %s names no bucket", ErrSource, fault.Redact(text))
	}
	return s, nil
}

// webAddress reads a template or the root of a mirror.
func webAddress(text string) (Source, error) {
	text = strings.TrimRight(text, "/")
	u, err := url.Parse(fill(text, "r", "d"))
	if err != nil || u.Hostname() == "" || u.Fragment != "" || u.RawQuery != "" {
		return Source{}, fmt.Errorf("%w: %s is no address of a folder on a web server", ErrSource, fault.Redact(text))
	}
	if strings.ContainsAny(fill(text, "", ""), "{}") {
		return Source{}, fmt.Errorf("%w: %s: only {Region} and {DnsSuffix} are filled in", ErrSource, fault.Redact(text))
	}
	base, named := strings.CutSuffix(text, "/"+ManifestKey)
	if named || strings.Contains(text, "{") {
		return Source{kind: Template, text: base}, nil
	}
	return Source{kind: Mirror, text: text}, nil
}

// fill puts a region's name and domain into a template.
func fill(text, region, domain string) string {
	return strings.NewReplacer("{Region}", region, "{DnsSuffix}", domain).Replace(text)
}

// Kind is the source's form.
func (s Source) Kind() SourceKind { return cmp.Or(s.kind, Amazon) }

// IsZero tells that no source was named.
func (s Source) IsZero() bool { return s == Source{} }

// String is the source as people write it and as settings keep it, empty for the zero source. Credentials that stand in an address are in
// it: see [fault.Redact].
func (s Source) String() string {
	switch {
	case s.at != "":
		return s.text + "?region=" + s.at
	case s.kind == Template && !strings.Contains(s.text, "{"):
		return s.text + "/" + ManifestKey
	}
	return s.text
}

// For is the source as it is told to people, for a region: never empty, without credentials.
func (s Source) For(region string) string {
	if s.IsZero() {
		return "Amazon's own bucket of region " + region
	}
	return fault.Redact(s.String())
}

// HasSecret tells whether credentials stand in the address.
func (s Source) HasSecret() bool {
	u, err := url.Parse(fill(s.text, "r", "d"))
	return s.kind != Folder && err == nil && u.User != nil
}

// Absolute is the source with a relative folder made absolute, from the folder that this process works in. Links on the way to a folder
// that is there are resolved: what is remembered is the folder itself.
func (s Source) Absolute() (Source, error) {
	if s.kind != Folder {
		return s, nil
	}
	path, err := filepath.Abs(s.text)
	if real, links := filepath.EvalSymlinks(path); err == nil && links == nil {
		path = real
	}
	return Source{kind: Folder, text: path}, err
}

// Directory is the path of a source that is a folder.
func (s Source) Directory() (path string, ok bool) { return s.text, s.kind == Folder }

// CheckNew refuses, as the function of that name does, a source that is plain http to another machine.
func (s Source) CheckNew(allowInsecure bool) error {
	if s.kind != Template && s.kind != Mirror {
		return nil
	}
	return CheckNew(fill(s.text, "r", "d"), allowInsecure)
}

// Insecure tells whether a region's files come over plain http from another machine.
func (s Source) Insecure() bool {
	return (s.kind == Template || s.kind == Mirror) && Insecure(fill(s.text, "r", "d"))
}

// Base is the address of a region's bucket in this source, without a slash at its end: http, https, or file for a folder. endpoint is an
// S3 address that stands in for AWS's, for a local region; Amazon's own buckets and s3:// ones are looked for there. It may be empty.
func (s Source) Base(region, endpoint string) (string, error) {
	if err := Check(region); err != nil {
		return "", err
	}
	switch s.Kind() {
	case Template:
		return strings.TrimRight(fill(s.text, region, Domain(region)), "/"), nil
	case InS3:
		return s.inS3(region, endpoint)
	case Mirror:
		return s.text + "/" + Bucket(region), nil
	case Folder:
		return fileAddress(s.bucketFolder(region)), nil
	case Amazon:
	}
	return BucketURL(region, endpoint, "")
}

// ManifestURL is the address of a region's manifest in this source: what Agent.UpdateSource holds.
func (s Source) ManifestURL(region, endpoint string) (string, error) {
	base, err := s.Base(region, endpoint)
	if err != nil {
		return "", err
	}
	return base + "/" + ManifestKey, nil
}

func (s Source) inS3(region, endpoint string) (string, error) {
	if endpoint == "" {
		at, err := Endpoint("s3", cmp.Or(s.at, region), "")
		if err != nil {
			return "", err
		}
		endpoint = at
	}
	place := fill(strings.TrimPrefix(s.text, "s3://"), region, Domain(region))
	return WithScheme(endpoint) + "/" + place, nil
}

// S3 names the bucket of a source that is one of S3, for a region: name, key prefix without slashes at its ends, and the region it lies in.
// False for sources that are read from another place.
func (s Source) S3(region string) (bucket, prefix, at string, ok bool) {
	switch s.Kind() {
	case Amazon:
		return Bucket(region), "", region, true
	case InS3:
		bucket, prefix, _ = strings.Cut(fill(strings.TrimPrefix(s.text, "s3://"), region, Domain(region)), "/")
		return bucket, prefix, cmp.Or(s.at, region), true
	case Template:
		u, err := url.Parse(fill(s.text, region, Domain(region)))
		if err != nil {
			return "", "", "", false
		}
		place, ok := ParseS3(u)
		if !ok {
			return "", "", "", false
		}
		prefix = strings.Trim(u.Path, "/")
		if rest, inPath := strings.CutPrefix(prefix+"/", place.Name+"/"); inPath && !strings.HasPrefix(u.Host, place.Name+".") {
			prefix = strings.Trim(rest, "/")
		}
		return place.Name, prefix, region, true
	case Mirror, Folder:
	}
	return "", "", "", false
}

// bucketFolder is where a region's files lie in a folder: as a mirror has them, else in the folder itself, where that is one bucket.
func (s Source) bucketFolder(region string) string {
	if dir := fill(s.text, region, Domain(region)); dir != s.text {
		return dir
	}
	if own := filepath.Join(s.text, Bucket(region)); isFolder(own) || !hasManifest(s.text) {
		return own
	}
	return s.text
}

func isFolder(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

func hasManifest(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, ManifestKey))
	return err == nil && info.Mode().IsRegular()
}

// fileAddress is file:///… of a path.
func fileAddress(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// FolderOf is the path that an address of [Source.Base] names, where it names a folder.
func FolderOf(base string) (path string, ok bool) {
	if !strings.HasPrefix(base, "file://") {
		return "", false
	}
	s, err := ParseSource(base)
	return s.text, err == nil
}

// Forgive is a region's name as it is spelled, where people wrote it in upper case.
func Forgive(region string) string {
	region = strings.TrimSpace(region)
	if lower := strings.ToLower(region); Known(lower) || lower == Local {
		return lower
	}
	return region
}
