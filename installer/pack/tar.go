package pack

import (
	"archive/tar"
	"io"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// portable is the archive that updates put into the store and --root installations are unpacked from: flat, no scripts.
var portable = Format{
	Name: "tar", Package: manifests.AgentPackage, Programs: []string{Launcher, Worker},
	File: func(p Platform) string {
		if p == Universal {
			return ""
		}
		return manifests.PortableFile(p.OS, p.Arch)
	},
	write: writeTar,
}

func writeTar(w io.Writer, in Input) error {
	if in.Platform.OS == "windows" {
		return writeZip(w, in, portableEntries(in))
	}
	// Level 6: 3 % larger than the best level in an eighth of its time, see the package's comment.
	return writeTarGz(w, in, portableEntries(in), 6)
}

func portableEntries(in Input) []entry {
	list := append(programEntries(""), documents(in, "", plain)...)
	return append(list, text(in, "LICENSE", plain, "common/LICENSE"))
}

func addTar(t *tar.Writer, in Input, e entry) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: e.path, Mode: int64(e.mode), Size: int64(len(e.data)), ModTime: in.Time,
		Uname: "root", Gname: "root", Format: tar.FormatUSTAR}
	switch {
	case e.kind == link:
		h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, string(e.data), 0
		return t.WriteHeader(h)
	case e.kind == folder:
		h.Typeflag, h.Name = tar.TypeDir, e.path+"/"
		return t.WriteHeader(h)
	case e.file != "":
		return addTarFile(t, in, h, e.file)
	}
	if e.program == "" {
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		_, err := t.Write(e.data)
		return err
	}
	h.Name = in.Platform.Executable(e.path)
	return addTarFile(t, in, h, filepath.Join(in.Bin, in.Platform.Executable(e.program)))
}

// addTarFile adds a file of this disk under a header, whose size it fills in.
func addTarFile(t *tar.Writer, in Input, h *tar.Header, path string) error {
	f, size, err := in.open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h.Size = size
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}
