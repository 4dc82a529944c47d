package pack

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// Input is what every format is made from.
type Input struct {
	Version  manifests.Version
	Platform Platform
	Bin      string    // folder with the binaries, see [Programs]
	Time     time.Time // of every entry, whole seconds
	Trust    []byte    // root of trust to bake in; empty: none
	Key      []byte    // OpenPGP key to bake in, which packages are checked with; empty: none
	Manual   Manual
	Signing  Signing

	// Embedded gives the finished artifact of another format, for formats that hold one; nil: it is made beside.
	Embedded func(Format) (path string, err error)
	// Progress is told how many bytes of programs and finished packages went into the artifact, of how many; total 0: unknown.
	// May be nil.
	Progress func(done, total int64)

	progress *progress
}

// Names of the programs.
const (
	Launcher = "amazon-ssm-agent"
	Worker   = "ssm-agent-worker"
	Setup    = "ssm-setup"
	SetupCLI = "ssm-setup-cli" // the same program under the original's name takes the original's flags
)

// SetupPackage is the name under which manifests list ssm-setup itself.
const SetupPackage = "ssm-setup"

// links are the names that lead to the launcher in /usr/bin.
var links = []string{"ssm-cli", "ssm-document-worker", "ssm-session-worker", "ssm-session-logger"}

// Format is one kind of package.
type Format struct {
	Name     string                  // word for --only
	Package  string                  // package of the manifest it is listed under
	Programs []string                // what must be in Input.Bin
	File     func(Platform) string   // name of the artifact, empty where the format is not made for a platform
	Loose    func(Platform) []string // its keys below <version>/ and latest/ in a bucket; nil: none
	Latest   bool                    // there is a copy in <package>/latest/, too
	Mode     fs.FileMode             // of the artifact; zero: 0644

	Fits       func(manifests.Version) error // which versions it can express; nil: all
	Signed     Signed
	Manager    *Manager // installs it on a machine; nil: no package manager does
	Repository string   // kind of the package repository of a region that lists it, see installer/publish; empty: none

	write  func(io.Writer, Input) error
	embeds func(Platform) []string // programs of the finished packages in it; nil: none
}

// Needs are the programs that a format is made of for a platform.
func (f Format) Needs(p Platform) []string {
	if f.embeds == nil {
		return f.Programs
	}
	return append(slices.Clone(f.Programs), f.embeds(p)...)
}

// Keys are the bucket keys of an artifact (docs/protocol/update.md, "Bucket layout"): those that belong to the version and
// never change, and the copies that move to each new latest version.
func (f Format) Keys(v manifests.Version, p Platform) (fixed, latest []string) {
	file := f.File(p)
	fixed = append(fixed, f.Package+"/"+v.String()+"/"+file)
	if f.Loose != nil {
		for _, key := range f.Loose(p) {
			fixed, latest = append(fixed, v.String()+"/"+key), append(latest, "latest/"+key)
		}
	}
	if f.Latest {
		latest = append(latest, f.Package+"/latest/"+file)
	}
	return fixed, latest
}

// formats is the table. One more format is one file and one row.
var formats = []Format{deb, rpm, installer, setupEXE, pkg, portable, setup, update, updateUbuntu, updateSnap, updateNano, updater,
	updaterUbuntu, updaterSnap, updaterNano, binaries, greengrass, recipe}

// Formats are all formats, in the order they are made: those that take longest first.
func Formats() []Format { return slices.Clone(formats) }

// ParseFormats reads "deb,rpm"; empty is all.
func ParseFormats(words []string) ([]Format, error) {
	if len(words) == 0 {
		return Formats(), nil
	}
	var list []Format
	for _, w := range words {
		i := slices.IndexFunc(formats, func(f Format) bool { return f.Name == strings.TrimSpace(w) })
		if i < 0 {
			return nil, fmt.Errorf("there is no format %q; there is %s", w, Names())
		}
		if !slices.ContainsFunc(list, func(f Format) bool { return f.Name == formats[i].Name }) {
			list = append(list, formats[i])
		}
	}
	return list, nil
}

// Of tells what an artifact's name stands for.
func Of(file string) (Format, Platform, bool) {
	for _, f := range formats {
		for _, p := range supported {
			if name := f.File(p); name != "" && name == file {
				return f, p, true
			}
		}
	}
	return Format{}, Platform{}, false
}

// Names are the words of all formats, for people: "deb, rpm, …".
func Names() string {
	var words []string
	for _, f := range formats {
		words = append(words, f.Name)
	}
	return strings.Join(words, ", ")
}

// packageFile is the name of a package for a package manager, for example amazon-ssm-agent-debian-amd64.deb; family is the word
// for its systems in keys of a bucket (docs/protocol/update.md, "Bucket layout").
func packageFile(family string, p Platform, extension string) string {
	return manifests.AgentPackage + "-" + family + "-" + p.Arch + "." + extension
}
