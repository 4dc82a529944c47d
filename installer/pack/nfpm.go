package pack

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/files"
)

// What both package managers show.
const (
	homepage    = "https://github.com/ssm-setup/ssm-setup"
	maintainer  = "ssm-setup authors <ssm-setup@users.noreply.github.com>"
	description = "Agent for AWS Systems Manager\nMakes this machine a managed node: it runs commands, keeps itself current,\nand falls back to the version of this package whenever a newer one fails."
)

// stage is a temporary folder for contents and scripts, which nfpm takes from files.
type stage struct {
	dir string
	n   int
	in  Input
}

func newStage(in Input) (*stage, error) {
	dir, err := os.MkdirTemp("", "ssm-setup-pack-")
	return &stage{dir: dir, in: in}, err
}

func (s *stage) remove() { os.RemoveAll(s.dir) }

// file writes data and gives it the package's time.
func (s *stage) file(data []byte) (string, error) {
	s.n++
	name := filepath.Join(s.dir, strconv.Itoa(s.n))
	if err := os.WriteFile(name, data, 0o600); err != nil {
		return "", err
	}
	return name, os.Chtimes(name, s.in.Time, s.in.Time)
}

// scripts writes each script to a file and stores its path where the key points, a field of an nfpm.Info.
func (s *stage) scripts(paths map[*string][]byte) error {
	for to, data := range paths {
		name, err := s.file(data)
		if err != nil {
			return err
		}
		*to = name
	}
	return nil
}

// contents turns entries into nfpm's, with time, mode and owner of each set.
func (s *stage) contents(list []entry) (files.Contents, error) {
	var out files.Contents
	for _, e := range list {
		c := &files.Content{Destination: e.path, Type: nfpmType[e.kind], FileInfo: &files.ContentFileInfo{
			Owner: "root", Group: "root", Mode: e.mode, MTime: s.in.Time}}
		var err error
		switch {
		case e.kind == link:
			c.Source = string(e.data)
		case e.kind == folder:
		case e.program != "":
			c.Source = filepath.Join(s.in.Bin, s.in.Platform.Executable(e.program))
		default:
			c.Source, err = s.file(e.data)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

var nfpmType = map[kind]string{plain: files.TypeFile, config: files.TypeConfigNoReplace, link: files.TypeSymlink, folder: files.TypeDir}

// info is a package as nfpm takes it.
func (s *stage) info(list []entry) (*nfpm.Info, error) {
	contents, err := s.contents(list)
	if err != nil {
		return nil, err
	}
	return nfpm.WithDefaults(&nfpm.Info{
		Name: Launcher, Platform: s.in.Platform.OS, Arch: nfpmArch(s.in.Platform.Arch),
		Version: s.in.Version.String(), VersionSchema: "none", Release: "1",
		Maintainer: maintainer, Description: description, Homepage: homepage, License: "Apache-2.0",
		Section: "admin", Priority: "optional",
		MTime: s.in.Time, DisableGlobbing: true,
		Overridables: nfpm.Overridables{Contents: contents},
	}), nil
}

// nfpmArch is Go's architecture in nfpm's words: arm6 is Debian's armhf.
func nfpmArch(arch string) string {
	if arch == "arm" {
		return "arm6"
	}
	return arch
}
