package caller_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/caller"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

func TestAsRootOnlyRootsOwnFilesCount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("root only: files of other accounts are made")
	}
	for name, spoil := range map[string]func(c caller.Caller, path string) error{
		"a foreign file":   func(_ caller.Caller, path string) error { return os.Chown(path, 1234, 1234) },
		"a loose file":     func(_ caller.Caller, path string) error { return os.Chmod(path, 0o666) },
		"a foreign folder": func(c caller.Caller, _ string) error { return os.Chown(c.Own, 1234, 1234) },
		"a loose folder":   func(c caller.Caller, _ string) error { return os.Chmod(c.Own, 0o777) },
	} {
		c := account(t, nil)
		c.Root = true
		path := write(t, c.Own, `{"source": "s3://own"}`)
		if s, _, err := c.Source("", false); err != nil || s.String() != "s3://own" {
			t.Errorf("%s: before it is spoilt: %s, %v", name, s, err)
		}
		if err := spoil(c, path); err != nil {
			t.Fatal(err)
		}
		_, _, err := c.Source("", false)
		if !errors.Is(err, host.ErrForeign) && !errors.Is(err, host.ErrWritable) || fault.Of(err) != fault.Permission {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAsRootARegionOfAnotherAccountIsNotFound(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("root only: files of other accounts are made")
	}
	c := account(t, nil)
	c.Root = true
	for name, spoil := range map[string]func(path string) error{
		"a foreign file": func(path string) error { return os.Chown(path, 1234, 1234) },
		"a loose file":   func(path string) error { return os.Chmod(path, 0o644) },
		"a link":         func(path string) error { return errors.Join(os.Rename(path, path+"1"), os.Symlink(path+"1", path)) },
	} {
		path := left(t, c, os.Getpid(), time.Time{})
		if _, err := c.Running("local"); err != nil {
			t.Errorf("%s: before it is spoilt: %v", name, err)
		}
		if err := spoil(path); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Running("local"); !errors.Is(err, caller.ErrForeignRegion) {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
