package describe

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// Program is one packed program.
type Program struct {
	Name   string
	SHA256 string
	Info   *debug.BuildInfo // nil: it carries none
}

// Inspect reads what a platform's programs say of themselves, those that are there. One without build information (not made by
// Go) is only named.
func Inspect(in pack.Input) ([]Program, error) {
	var list []Program
	for _, name := range []string{pack.Launcher, pack.Worker, pack.Setup} {
		path := filepath.Join(in.Bin, in.Platform.Executable(name))
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sum, err := host.SHA256(f)
		if err == nil {
			p := Program{Name: in.Platform.Executable(name), SHA256: sum}
			p.Info, _ = buildinfo.Read(f)
			list = append(list, p)
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b Program) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// module is one Go module that programs were linked from.
type module struct{ path, version, sum string }

// reference is the module's package URL.
func (m module) reference() string {
	return "pkg:golang/" + strings.ToLower(m.path) + "@" + strings.ReplaceAll(m.version, "+", "%2B")
}

// hash is the module's hash (h1: of go.sum) in hexadecimal; empty where there is none.
func (m module) hash() string {
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.sum, "h1:"))
	if err != nil || !strings.HasPrefix(m.sum, "h1:") {
		return ""
	}
	return hex.EncodeToString(b)
}

// modules are those of a program: Go's own library first, replaced ones as what replaced them.
func (p Program) modules() []module {
	if p.Info == nil {
		return nil
	}
	list := []module{{path: "std", version: strings.TrimPrefix(p.Info.GoVersion, "go")}}
	for _, d := range p.Info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		list = append(list, module{d.Path, d.Version, d.Sum})
	}
	return list
}

// all are the modules of several programs, in order, each once.
func all(programs []Program) []module {
	var list []module
	for _, p := range programs {
		list = append(list, p.modules()...)
	}
	slices.SortFunc(list, func(a, b module) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.version, b.version), cmp.Compare(b.sum, a.sum))
	})
	return slices.CompactFunc(list, func(a, b module) bool { return a.path == b.path && a.version == b.version })
}

// settings of the build that change what comes out.
func settings(programs []Program) map[string]string {
	kept := map[string]string{}
	for _, p := range programs {
		if p.Info == nil {
			continue
		}
		kept["go"] = p.Info.GoVersion
		for _, s := range p.Info.Settings {
			if strings.HasPrefix(s.Key, "GO") || s.Key == "CGO_ENABLED" || s.Key == "-trimpath" || s.Key == "-tags" || s.Key == "-buildmode" {
				kept[s.Key] = s.Value
			}
		}
	}
	return kept
}

// name is a name made from texts, the same each time, in the form of a UUID (of version 8: the bits are a hash's).
func name(texts ...string) string {
	u := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
