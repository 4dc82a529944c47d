package pack

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// portable is the archive that updates put into the store and --root installations are unpacked from: flat, no scripts.
var portable = Format{
	Name: "tar", Package: manifests.AgentPackage, Programs: []string{Launcher, Worker},
	File:  func(p Platform) string { return manifests.PortableFile(p.OS, p.Arch) },
	write: writeTar,
}

func writeTar(w io.Writer, in Input) error {
	// Level 6 of this library: within 2 % of the best level's size in a quarter of its time.
	z, err := gzip.NewWriterLevel(w, 6)
	if err != nil {
		return err
	}
	z.ModTime = time.Unix(0, 0) // no time, see squeeze
	t := tar.NewWriter(z)
	entries := append(programEntries(""), documents(in, "", plain)...)
	entries = append(entries, text(in, "LICENSE", plain, "common/LICENSE"))
	for _, e := range entries {
		if err := addTar(t, in, e); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

func addTar(t *tar.Writer, in Input, e entry) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: e.path, Mode: int64(e.mode), Size: int64(len(e.data)), ModTime: in.Time,
		Uname: "root", Gname: "root", Format: tar.FormatUSTAR}
	if e.program == "" {
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		_, err := t.Write(e.data)
		return err
	}
	h.Name = in.Platform.Executable(e.path)
	f, err := os.Open(filepath.Join(in.Bin, in.Platform.Executable(e.program)))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h.Size = info.Size()
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}
