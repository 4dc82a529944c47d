package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// rooms are the rooms whose calls of package os go to the disk in memory.
var rooms = []string{"installer", "installer/host", "installer/pointer", "installer/store", "installer/launcher", "installer/unpack",
	"updater", "updater/download", "updater/ledger", "updater/policy", "updater/watch"}

const shim = `os "github.com/ssm-setup/ssm-setup/test/model/disk"`

// played are the places where a room asks the system itself, not package os: what the explorer's machine answers instead.
var played = []edit{
	{"installer/host/process_unix.go", "func Alive(pid int) bool {", "func Alive(pid int) bool { if pid != 0 { return os.Alive(pid) }"},
	{"installer/host/process_linux.go", "func ProcessExecutable(pid int) (string, error) {",
		"func ProcessExecutable(pid int) (string, error) { if pid != 0 { return os.Program(pid) }"},
	{"installer/host/process_linux.go", "func ProcessStart(pid int) (time.Time, error) {",
		"func ProcessStart(pid int) (time.Time, error) { if pid != 0 { return os.Started(pid) }"},
	{"installer/host/process_linux.go", "func Processes() ([]int, error) {",
		"func Processes() ([]int, error) { if os.Getpid() != 0 { return os.Processes(), nil }"},
	{"installer/host/trusted_linux.go", "func Trusted(pid int) bool {", "func Trusted(pid int) bool { if pid != 0 { return true }"},
	{"installer/host/folderlock_unix.go", "func TryLock(dir string) (*FolderLock, int, error) {",
		"func TryLock(dir string) (*FolderLock, int, error) { if _, err := os.Stat(dir); err != nil { return nil, 0, " +
			"errors.Join(ErrNoFolder, err) }; if holder := os.Lock(dir); holder != 0 { return nil, holder, nil }; " +
			"if dir != \"\" { return &FolderLock{-1, dir}, 0, nil }"},
	{"installer/host/folderlock_unix.go", "func (l *FolderLock) Release() {",
		"func (l *FolderLock) Release() { if l != nil { os.Unlock(l.dir); return }"},
	{"installer/host/folderlock_unix.go", "func Holder(dir string) (pid int, held bool, err error) {",
		"func Holder(dir string) (pid int, held bool, err error) { if dir != \"\" { return os.Holder(dir) }"},
	{"updater/watch/probe.go", "go func() { a.answer <- a.probe(ctx) }()", "a.answer <- a.probe(ctx)"},                 // no second goroutine
	{"updater/resume.go", "if e.Pause(ctx, 250*time.Millisecond) != nil {", "if e.Pause(ctx, 2*time.Second) != nil {"}, // fewer looks
}

// edit puts one text in the place of another that stands in a file once.
type edit struct{ file, old, new string }

var (
	importOS  = regexp.MustCompile(`(?m)^(import |\t)"os"$`)
	callsTime = regexp.MustCompile(`\btime\.(Sleep|Now|Since)\b`)
	importOne = regexp.MustCompile(`(?m)^import "[^"]*"$`)
)

// Overlay writes changed copies of the rooms' files into a folder, and the file that `go build -overlay` reads; it returns the latter's
// path. source is the root of the source tree.
func Overlay(source, into string) (string, error) {
	edits := slices.Clone(played)
	for _, r := range Rules() {
		edits = append(edits, r.Edits...)
	}
	replace := map[string]string{}
	for _, room := range rooms {
		p, err := build.ImportDir(filepath.Join(source, room), 0)
		if err != nil {
			return "", err
		}
		for _, name := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(source, room, name))
			if err != nil {
				return "", err
			}
			changed, err := rewrite(room+"/"+name, text, edits)
			if err != nil {
				return "", err
			}
			if bytes.Equal(text, changed) {
				continue
			}
			to := filepath.Join(into, strings.ReplaceAll(room, "/", "_")+"_"+name)
			if err := os.WriteFile(to, changed, 0o600); err != nil {
				return "", err
			}
			replace[filepath.Join(source, room, name)] = to
		}
	}
	for _, e := range edits {
		if replace[filepath.Join(source, e.file)] == "" {
			return "", fmt.Errorf("%s is not compiled here", e.file)
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(into, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

// rewrite makes the edits of one file, and leads its calls of package os, and of the clock, to the shim.
func rewrite(file string, text []byte, edits []edit) ([]byte, error) {
	for _, e := range edits {
		if e.file != file {
			continue
		}
		if n := bytes.Count(text, []byte(e.old)); n != 1 {
			return nil, fmt.Errorf("%s: %q stands there %d times: the model's table of rules is behind the code", file, e.old, n)
		}
		text = bytes.Replace(text, []byte(e.old), []byte(e.new), 1)
	}
	keepsTime := callsTime.Match(text)
	text = callsTime.ReplaceAll(text, []byte("os.$1"))
	has := importOS.Match(text)
	text = importOS.ReplaceAll(text, []byte("${1}"+shim))
	if !has && regexp.MustCompile(`\bos\.[A-Z]`).Match(text) {
		var at int
		switch i := bytes.Index(text, []byte("import (\n")); {
		case i >= 0:
			at = i + len("import (\n")
			text = slices.Concat(text[:at], []byte("\t"+shim+"\n"), text[at:])
		default:
			at := importOne.FindIndex(text)
			if at == nil {
				i := bytes.Index(text, []byte("\npackage "))
				end := i + 1 + bytes.IndexByte(text[i+1:], '\n')
				at = []int{end, end}
			}
			text = slices.Concat(text[:at[1]], []byte("\nimport "+shim+"\n"), text[at[1]:])
		}
	}
	if keepsTime {
		text = append(text, "\nvar _ time.Duration\n"...)
	}
	return text, nil
}
