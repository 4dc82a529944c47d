package pack

import (
	"bytes"
	"embed"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/ssm-setup/ssm-setup/installer/systems"
)

//go:embed assets
var assets embed.FS

// TrustFile is the place of a root of trust, below the folder of the settings.
const TrustFile = "trust/root.json"

// KeyName is the name of the OpenPGP key that packages are checked with, KeyFile its place below the folder of the settings.
const (
	KeyName = "amazon-ssm-agent.gpg"
	KeyFile = "trust/" + KeyName
)

// kind of an entry in a package.
type kind int

const (
	plain  kind = iota
	doc         // marked as documentation where the format can
	config      // kept when an admin changed it
	link        // data is the target
	folder
)

// entry is one file of a package: from a program in Input.Bin, or with its content.
type entry struct {
	path    string
	mode    fs.FileMode
	kind    kind
	program string
	file    string // or from a finished file
	data    []byte
}

// programEntries are the two binaries and the links, in a folder; without links where dir is empty (portable archive).
func programEntries(dir string) []entry {
	list := []entry{
		{path: path.Join(dir, Launcher), mode: 0o755, program: Launcher},
		{path: path.Join(dir, Worker), mode: 0o755, program: Worker},
	}
	if dir == "" {
		return list
	}
	for _, name := range links {
		list = append(list, entry{path: path.Join(dir, name), mode: 0o777, kind: link, data: []byte(Launcher)})
	}
	return list
}

// documents are the files beside the settings.
func documents(in Input, dir string, mark kind) []entry {
	var list []entry
	for _, name := range []string{"amazon-ssm-agent.json.template", "seelog.xml.template"} {
		asset := "common/" + name
		if in.Platform.OS == "windows" && name == "seelog.xml.template" {
			asset = "windows/" + name
		}
		list = append(list, text(in, path.Join(dir, name), plain, asset))
	}
	for _, name := range []string{"RELEASENOTES.md", "README.md", "NOTICE.md"} {
		asset := "common/" + name
		if in.Platform.OS == "darwin" && name == "README.md" {
			asset = "pkg/" + name
		}
		list = append(list, text(in, path.Join(dir, name), mark, asset))
	}
	if len(in.Trust) > 0 {
		list = append(list, entry{path: path.Join(dir, TrustFile), mode: 0o644, data: in.Trust})
	}
	if len(in.Key) > 0 {
		list = append(list, entry{path: path.Join(dir, KeyFile), mode: 0o644, data: in.Key})
	}
	return list
}

// text is an embedded file with mode 0644 and the version filled in.
func text(in Input, path string, k kind, asset string) entry {
	return entry{path: path, mode: 0o644, kind: k, data: []byte(read(in, asset))}
}

// read returns an embedded file; the name is a constant, so it is there.
func read(in Input, asset string) string {
	b, err := assets.ReadFile("assets/" + asset)
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(b), "@VERSION@", in.Version.String())
}

// script joins the shared functions and one script.
func script(in Input, head, asset string) []byte {
	return []byte(head + read(in, "common/functions.sh") + "\n" + systems.Shell() + "\n" + read(in, asset))
}

// squeeze is gzip at its best, without name and time.
func squeeze(text string) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	z.ModTime = time.Unix(0, 0)                           // no time: this library writes the zero Time as one in 2042
	_, _ = z.Write([]byte(text))                          // into memory
	_ = z.Close()
	return b.Bytes()
}
