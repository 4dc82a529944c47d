package trust

import (
	"fmt"
	"path"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Listing is what a region's verified targets list.
type Listing struct {
	files      map[string]bucket.Target
	consistent bool
	Facts
}

// Find is what is listed of a file by its path in the bucket.
func (l *Listing) Find(key string) (bucket.Target, bool) {
	t, ok := l.files[key]
	return t, ok
}

// readTargets reads the list. An entry without a SHA-256, with a path that is none, or an archive of which it is not said how much it
// holds, does not count; an entry of another shape makes the whole list unusable.
func readTargets(e *envelope) (map[string]bucket.Target, error) {
	if err := refuseDelegations(e.signed); err != nil {
		return nil, err
	}
	listed, err := member[object](e.signed, "targets")
	if err != nil {
		return nil, err
	}
	if len(listed) > maxListed {
		return nil, fmt.Errorf("%w: it lists %d files, at most %d accepted", ErrFormat, len(listed), maxListed)
	}
	files := make(map[string]bucket.Target, len(listed))
	for key := range listed {
		o, err := member[object](listed, key)
		if err != nil {
			return nil, err
		}
		t, err := readTarget(o)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", cut(key), err)
		}
		if !t.SHA256.IsZero() && isKey(key) && (t.Unpacked > 0 || !isArchive(key)) {
			files[key] = t
		}
	}
	return files, nil
}

func readTarget(o object) (t bucket.Target, err error) {
	if t.Size, err = number(o, "length", 0); err != nil {
		return t, err
	}
	if t.Size > bucket.MaxListed {
		return t, fmt.Errorf("%w: it has %d bytes, at most %d accepted", ErrFormat, t.Size, int64(bucket.MaxListed))
	}
	text, err := sha256Of(o)
	if err != nil {
		return t, err
	}
	if text != "" {
		if t.SHA256, err = manifests.ParseSum(text); err != nil {
			return t, unusable(err)
		}
	}
	custom, err := optional[object](o, "custom")
	if err != nil || custom == nil {
		return t, err
	}
	if _, said := custom["unpacked"]; said {
		t.Unpacked, err = number(custom, "unpacked", 0)
	}
	return t, err
}

func refuseDelegations(signed object) error {
	d, err := optional[object](signed, "delegations")
	if err != nil || d == nil {
		return err
	}
	roles, _ := d["roles"].([]any)
	if _, more := d["succinct_roles"]; more || len(roles) > 0 {
		return fmt.Errorf("%w: targets delegates to further roles, which this product does not follow", ErrFormat)
	}
	return nil
}

// isKey tells whether a path is one of a bucket: relative, in its shortest form, in printable characters.
func isKey(key string) bool {
	return key != "" && len(key) <= 512 && path.Clean(key) == key && key[0] != '/' && key != ".." && !strings.HasPrefix(key, "../") &&
		!strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f })
}

// isArchive tells whether a file is one that is unpacked, so that it must be known how much it holds.
func isArchive(key string) bool {
	return strings.HasSuffix(key, ".tar.gz") || strings.HasSuffix(key, ".tgz") || strings.HasSuffix(key, ".zip")
}
