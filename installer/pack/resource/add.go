package resource

import (
	"bytes"
	"debug/pe"
	"io"
	"strings"

	"github.com/tc-hib/winres"
	"github.com/tc-hib/winres/version"
)

// Add writes a program with its resources. What needs none comes out as it is: no program for Windows at all, one with a
// version, one with a signature.
func Add(w io.Writer, program []byte, info Info) error {
	if !bare(program) {
		_, err := w.Write(program)
		return err
	}
	set, err := info.set()
	if err != nil {
		return err
	}
	return set.WriteToEXE(w, bytes.NewReader(program))
}

// bare tells whether a program waits for resources.
func bare(program []byte) bool {
	f, err := pe.NewFile(bytes.NewReader(program))
	if err != nil {
		return false
	}
	directories, ok := directoriesOf(f)
	return ok && directories[pe.IMAGE_DIRECTORY_ENTRY_RESOURCE].Size == 0 && directories[pe.IMAGE_DIRECTORY_ENTRY_SECURITY].Size == 0
}

func directoriesOf(f *pe.File) (d [16]pe.DataDirectory, ok bool) {
	switch h := f.OptionalHeader.(type) {
	case *pe.OptionalHeader64:
		return h.DataDirectory, true
	case *pe.OptionalHeader32:
		return h.DataDirectory, true
	}
	return d, false
}

// set is what Windows reads; the language is American English, as in the installer.
func (i Info) set() (*winres.ResourceSet, error) {
	v := version.Info{FileVersion: i.Version, ProductVersion: i.Version}
	for _, word := range [][2]string{
		{version.CompanyName, i.Company},
		{version.FileDescription, i.Description},
		{version.FileVersion, i.Text},
		{version.InternalName, strings.TrimSuffix(i.File, ".exe")},
		{version.LegalCopyright, i.Company},
		{version.OriginalFilename, i.File},
		{version.ProductName, i.Product},
		{version.ProductVersion, i.Text},
	} {
		if err := v.Set(version.LangDefault, word[0], word[1]); err != nil {
			return nil, err
		}
	}
	level := winres.AsInvoker
	if i.Elevated {
		level = winres.RequireAdministrator
	}
	set := &winres.ResourceSet{}
	set.SetVersionInfo(v)
	set.SetManifest(winres.AppManifest{
		Identity:       winres.AssemblyIdentity{Name: strings.TrimSuffix(i.File, ".exe"), Version: i.Version},
		Description:    i.Description,
		Compatibility:  winres.Win10AndAbove,
		ExecutionLevel: level,
		LongPathAware:  true,
		DPIAwareness:   winres.DPIUnaware,
	})
	return set, nil
}
