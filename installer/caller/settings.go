package caller

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Settings are the content of a config.json.
type Settings struct {
	Source string `json:"source,omitempty"` // where packages come from, as for --source
	Region string `json:"region,omitempty"` // region of commands that name none
}

const (
	settingsFile = "config.json"
	maxSettings  = 64 << 10 // bytes
)

// ErrSettings says that a file of settings is not what it must be.
var ErrSettings = fault.New(fault.Usage, "the settings cannot be used",
	`the file holds what ssm-setup config shows, for example {"source": "s3://my-ssm-{Region}"}`)

// Files are the paths of the settings, in the order in which they count, whether they are there or not.
func (c Caller) Files() []string {
	list := []string{filepath.Join(c.System, settingsFile)}
	if c.Own != "" {
		list = append(list, filepath.Join(c.Own, settingsFile))
	}
	return list
}

// from looks a setting up in the files. Each is read whole, so that a fault of one is said even where the other counts.
func (c Caller) from(get func(Settings) string) (found Value, err error) {
	for _, path := range c.Files() {
		s, err := c.read(path)
		if err != nil {
			return Value{}, fmt.Errorf("%s: %w", path, err)
		}
		found = first(found, Value{get(s), path}.orNone())
	}
	return found, nil
}

func (v Value) orNone() Value {
	if v.Text == "" {
		return Value{}
	}
	return v
}

// read reads and checks a file; one that is not there has nothing set.
func (c Caller) read(path string) (s Settings, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	defer f.Close()
	if err := c.sound(path); err != nil {
		return s, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSettings+1))
	if err != nil {
		return s, err
	}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	return s, s.check(len(text))
}

func (s Settings) check(size int) error {
	source, err := regions.ParseSource(s.Source)
	dir, isFolder := source.Directory()
	switch {
	case size > maxSettings:
		return fmt.Errorf("%w: more than %d bytes", ErrSettings, maxSettings)
	case err != nil:
		return err
	case source.HasSecret():
		return fmt.Errorf("%w: the source has a password in its address; secrets do not belong here", ErrSettings)
	case isFolder && !filepath.IsAbs(dir):
		return fmt.Errorf("%w: the source %s is no whole path", ErrSettings, dir)
	case s.Region != "":
		return regions.Check(s.Region)
	}
	return nil
}
