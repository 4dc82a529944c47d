package yum

import (
	"fmt"
	"io"
	"path"
	"strings"
)

// Package is one package of the repository.
type Package struct {
	Key    string // in the bucket
	SHA256 string // hex
	Size   int64

	signature, main header
	start, end      int64 // of the main header
}

// Read describes a package by the headers at its start, and reads no further.
func Read(rpm io.Reader) (Package, error) {
	var p Package
	var err error
	if p.signature, p.main, p.start, p.end, err = headers(rpm); err != nil {
		return p, err
	}
	if p.main.text(tagName) == "" || p.main.text(tagVersion) == "" || p.main.text(tagArch) == "" {
		return p, fmt.Errorf("%w: it has no name, version or architecture", ErrRPM)
	}
	return p, nil
}

func (p Package) evr() version {
	return version{Epoch: fmt.Sprint(p.main.number(tagEpoch)), Ver: p.main.text(tagVersion), Rel: p.main.text(tagRelease)}
}

// Flags of a dependency, and of a file.
const (
	less, greater, equal        = 1 << 1, 1 << 2, 1 << 3
	beforeScripts               = 1<<6 | 1<<9 | 1<<10
	ghost                uint32 = 1 << 6
	modeKind, modeFolder uint32 = 0o170000, 0o040000
)

// comparison are the words for flags.
var comparison = map[uint32]string{less: "LT", greater: "GT", equal: "EQ", less | equal: "LE", greater | equal: "GE"}

// relations are the entries of one kind of dependency. What rpm itself must know is not for the repository.
func (p Package) relations(names, flags, versions int) []relation {
	var list []relation
	seen := map[relation]bool{}
	for i, name := range p.main.texts[names] {
		if strings.HasPrefix(name, "rpmlib(") {
			continue
		}
		f := p.main.at(flags, i)
		r := relation{Name: name}
		if word := comparison[f&(less|greater|equal)]; word != "" && p.main.textAt(versions, i) != "" {
			r.Flags = word
			r.version = parseEVR(p.main.textAt(versions, i))
		}
		if names == tagRequireName && f&beforeScripts != 0 {
			r.Pre = "1"
		}
		if !seen[r] {
			seen[r] = true
			list = append(list, r)
		}
	}
	return list
}

// parseEVR takes apart epoch:version-release.
func parseEVR(text string) (v version) {
	v.Epoch = "0"
	if epoch, rest, ok := strings.Cut(text, ":"); ok {
		v.Epoch, text = epoch, rest
	}
	v.Ver, v.Rel, _ = strings.Cut(text, "-")
	return v
}

// files are all files of a package.
func (p Package) files() []file {
	var list []file
	for i, base := range p.main.texts[tagBaseNames] {
		f := file{Path: path.Join(p.main.textAt(tagDirNames, int(p.main.at(tagDirIndexes, i))), base)}
		switch {
		case p.main.at(tagFileModes, i)&modeKind == modeFolder:
			f.Type = "dir"
		case p.main.at(tagFileFlags, i)&ghost != 0:
			f.Type = "ghost"
		}
		list = append(list, f)
	}
	return list
}

// primaryFiles are those that other packages may depend on without the long list.
func (p Package) primaryFiles() []file {
	var list []file
	for _, f := range p.files() {
		if strings.HasPrefix(f.Path, "/etc/") || strings.Contains(f.Path, "bin/") || f.Path == "/usr/lib/sendmail" {
			list = append(list, f)
		}
	}
	return list
}

func (p Package) changes() []change {
	var list []change
	for i, text := range p.main.texts[tagChangeText] {
		list = append(list, change{p.main.textAt(tagChangeName, i), p.main.at(tagChangeTime, i), text})
	}
	return list
}
