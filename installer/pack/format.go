package pack

import (
	"fmt"
	"io"
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
}

// Names of the programs.
const (
	Launcher = "amazon-ssm-agent"
	Worker   = "ssm-agent-worker"
	Setup    = "ssm-setup"
)

// SetupPackage is the name under which manifests list ssm-setup itself.
const SetupPackage = "ssm-setup"

// links are the names that lead to the launcher in /usr/bin.
var links = []string{"ssm-cli", "ssm-document-worker", "ssm-session-worker", "ssm-session-logger"}

// Format is one kind of package.
type Format struct {
	Name     string                // word for --only
	Package  string                // package of the manifest it is listed under
	Programs []string              // what must be in Input.Bin
	File     func(Platform) string // name of the artifact, empty where the format is not made for a platform
	Loose    func(Platform) string // its key below <version>/ and latest/ in a bucket (spec update 4.8); nil: none
	write    func(io.Writer, Input) error
}

// formats is the table. One more format is one file and one row.
var formats = []Format{deb, rpm, portable, setup}

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
			return nil, fmt.Errorf("there is no format %q; there is %s", w, names())
		}
		list = append(list, formats[i])
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

func names() string {
	var words []string
	for _, f := range formats {
		words = append(words, f.Name)
	}
	return strings.Join(words, ", ")
}
