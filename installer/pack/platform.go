package pack

import (
	"fmt"
	"strings"
)

// Platform is an operating system and architecture in Go's names.
type Platform struct{ OS, Arch string }

// supported are the platforms that packages are made for. One more is one row (and, where a format has its own word for the
// architecture, one in that format's file).
var supported = []Platform{
	{"linux", "amd64"}, {"linux", "arm64"}, {"linux", "386"}, {"linux", "arm"},
	{"windows", "amd64"}, {"windows", "arm64"}, {"windows", "386"},
	{"darwin", "amd64"}, {"darwin", "arm64"}, Universal,
}

// Platforms are all that packages are made for.
func Platforms() []Platform { return append([]Platform(nil), supported...) }

// ParsePlatform reads linux/amd64.
func ParsePlatform(text string) (Platform, error) {
	system, arch, ok := strings.Cut(strings.TrimSpace(text), "/")
	if !ok {
		return Platform{}, fmt.Errorf("%q is not a platform such as linux/amd64", text)
	}
	p := Platform{system, arch}
	for _, s := range supported {
		if s == p {
			return p, nil
		}
	}
	return Platform{}, fmt.Errorf("no packages are made for %s; there is %s", p, words(supported))
}

func (p Platform) String() string { return p.OS + "/" + p.Arch }

// Executable is the file name of a program on this platform.
func (p Platform) Executable(name string) string {
	if p.OS == "windows" {
		return name + ".exe"
	}
	return name
}

func words(ps []Platform) string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = p.String()
	}
	return strings.Join(out, ", ")
}
