package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Settings are what the programs of an installation work with.
type Settings struct {
	Config
	Fault error // why the file cannot be used, and what is in its place; nil: the file is used

	text []byte      // of the file; nil: there is none, or it cannot be used
	info fs.FileInfo // of the file, where there is text
}

// Read gives the settings of an installation, whatever its file holds: the file's; where that cannot be read, the last with which the
// service was reached (see [Settings.Keep]); without those, defaults with which commands still run, since a command is the way to mend
// the file: [Config].OnlyCommands. All programs of an installation but those that check before they change something read by this.
func Read(l installer.Layout) Settings {
	s, err := readFile(l.ConfigFile())
	if err == nil {
		return s
	}
	if good, goodErr := readFile(l.GoodConfig()); goodErr == nil && good.text != nil {
		return Settings{Config: good.Config, Fault: fmt.Errorf("%w; in use are the last good settings, %s", err, l.GoodConfig())}
	}
	s = Settings{Config: Default(), Fault: fmt.Errorf("%w; in use are the defaults, with commands only", err)}
	s.OnlyCommands, s.Agent.SelfUpdate, s.Agent.StayCurrent = true, false, ""
	return s
}

// readFile reads one file; one that does not exist means the defaults.
func readFile(path string) (s Settings, err error) {
	s.text, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Settings{Config: Default()}, nil
	}
	if err == nil {
		s.info, err = os.Stat(path)
	}
	if err == nil {
		s.Config, err = Parse(s.text)
	}
	if err != nil {
		return Settings{}, &Error{path, err}
	}
	return s, nil
}

// Keep makes these the last good settings, with mode and owner of their file. It is called when the service was reached with them. The
// defaults of an installation without a file leave none.
func (s Settings) Keep(l installer.Layout) error {
	path := l.GoodConfig()
	switch {
	case s.Fault != nil:
		return nil
	case s.text == nil:
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	mode := s.info.Mode().Perm()
	old, err := os.ReadFile(path)
	now, statErr := os.Stat(path)
	if err != nil || statErr != nil || !bytes.Equal(old, s.text) || now.Mode().Perm() != mode {
		if err := host.WriteFile(path, s.text, mode); err != nil {
			return err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(host.GiveTo(f, s.info), f.Close())
}
