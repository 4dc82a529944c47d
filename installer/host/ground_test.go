package host_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

func TestAFileFromAStreamIsWholeOrNotThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	ok(t, stream(path, strings.NewReader("content")))
	if got, err := os.ReadFile(path); err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
	broken := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if err := stream(path, broken); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a broken stream: %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "content" {
		t.Errorf("after a broken stream: %q, %v", got, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("temporary files were left: %v", entries)
	}
}

func stream(path string, r io.Reader) error {
	f, err := host.Create(path, 0o640)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	return f.Commit()
}

func TestANewFileHasNoNameBeforeItIsPlaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	f, err := host.Create(path, 0o600)
	ok(t, err)
	if _, err := io.WriteString(f, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it has its name already: %v", err)
	}
	if b, err := os.ReadFile(f.Name()); err != nil || string(b) != "x" {
		t.Errorf("under its other name: %q, %v", b, err)
	}
	ok(t, f.Place())
	f.Discard() // has nothing to do any more
	if b, err := os.ReadFile(path); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	g, err := host.Create(path, 0o600)
	ok(t, err)
	g.Discard()
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("a discarded file was left: %v", entries)
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	ok(t, host.Sleep(t.Context(), time.Millisecond))
	ctx, end := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer end()
	if err := host.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := host.Sleep(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a context that has ended: %v", err)
	}
}

func TestUUIDsAreOfVersion4(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 100 {
		id := host.NewUUID()
		if !form.MatchString(id) || seen[id] {
			t.Fatal(id)
		}
		seen[id] = true
	}
	if got := host.UUID([16]byte(bytes.Repeat([]byte{0xff}, 16))); got != "ffffffff-ffff-4fff-bfff-ffffffffffff" {
		t.Error(got)
	}
}

func TestSHA256OfFilesReadersAndBytes(t *testing.T) {
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-4
	path := filepath.Join(t.TempDir(), "f")
	ok(t, os.WriteFile(path, []byte("abc"), 0o600))
	fromFile, err := host.SHA256File(path)
	ok(t, err)
	fromReader, err := host.SHA256(iotest.OneByteReader(strings.NewReader("abc")))
	ok(t, err)
	if fromFile != abc || fromReader != abc || host.SHA256Bytes([]byte("abc")) != abc {
		t.Error(fromFile, fromReader)
	}
	if _, err := host.SHA256File(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// What a shell holds for other tools stays there: of it only language, time zone and proxies go on.
func TestACleanEnvironmentHasNothingOfTheShellsButLanguageZoneAndProxies(t *testing.T) {
	passed := []string{"LANG=de_DE.UTF-8", "LC_TIME=C", "TZ=Europe/Berlin", "https_proxy=http://p:1", "NO_PROXY=10.0.0.1"}
	shell := append([]string{"PATH=/mine", "HOME=/mine", "USER=mine", "AWS_PROFILE=x", "AWS_CA_BUNDLE=relative.pem", "SSM_ACTIVATION_CODE=x",
		"SSM_START=7", "GITHUB_TOKEN=x", "SSM_SIGN_PASSPHRASE=x", "PYTHONPATH=/mine", "LD_PRELOAD=/mine.so", "TMPDIR=/mine",
		"SSL_CERT_FILE=/nowhere/mine.pem", "BASH_ENV=/mine", "LANGUAGE=x", "odd"}, passed...)
	got := host.CleanEnvironment(shell, "/r/credentials", "SSM_DETACHED=0")
	for _, entry := range got {
		if strings.Contains(entry, "mine") || strings.HasSuffix(entry, "=x") || strings.HasPrefix(entry, "SSM_START") {
			t.Errorf("passed on: %s", entry)
		}
	}
	for _, entry := range append(passed, "AWS_SHARED_CREDENTIALS_FILE=/r/credentials", "SSM_DETACHED=0") {
		if !slices.Contains(got, entry) {
			t.Errorf("missing: %s", entry)
		}
	}
	if !slices.ContainsFunc(got, func(entry string) bool { return strings.HasPrefix(strings.ToUpper(entry), "PATH=") }) {
		t.Errorf("no search path: %q", got)
	}
}

func TestAFullLogIsPutAsideWhenItIsOpened(t *testing.T) {
	how := host.Rolling{Path: filepath.Join(t.TempDir(), "a.log"), Size: 10, Keep: 2, Mode: 0o600}
	for _, line := range []string{"first line\n", "second\n", "third, 2\n", "fourth line\n", "fifth\n"} {
		f, err := how.Open()
		ok(t, err)
		_, err = f.WriteString(line)
		ok(t, err)
		ok(t, f.Close())
	}
	if got := logs(t, how.Path); got != "a.log=fifth|a.log.1=fourth line|a.log.2=second+third, 2" {
		t.Error(got)
	}
}

func TestARollingFileGetsNumbersThatOnlyGrow(t *testing.T) {
	how := host.Rolling{Path: filepath.Join(t.TempDir(), "a.log"), Size: 100, Keep: 2, Mode: 0o600, Growing: true}
	f := how.File()
	for i := range 50 {
		_, err := f.Write([]byte(strings.Repeat(string(rune('a'+i%26)), 39) + "\n"))
		ok(t, err)
	}
	ok(t, f.Close())
	ok(t, f.Close())
	names, _ := filepath.Glob(how.Path + "*")
	for i, name := range names {
		names[i] = filepath.Base(name)
	}
	if got := strings.Join(names, " "); got != "a.log a.log.23 a.log.24" {
		t.Error(got)
	}
	if info, err := os.Stat(how.Path); err != nil || info.Size() > how.Size {
		t.Error(info, err)
	}
	_, err := f.Write([]byte("after the end\n"))
	ok(t, err)
	ok(t, f.Close())
	if b, err := os.ReadFile(how.Path); err != nil || !strings.HasSuffix(string(b), "after the end\n") && string(b) != "after the end\n" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestALogThatCannotBeWrittenHoldsUpNoCaller(t *testing.T) {
	f := host.Rolling{Path: filepath.Join(t.TempDir(), "no", "a.log"), Size: 100, Keep: 2, Mode: 0o600}.File()
	if n, err := f.Write([]byte("lost\n")); n != 5 || err != nil {
		t.Error(n, err)
	}
	ok(t, f.Close())
}

// logs are the logs of a folder with their lines.
func logs(t *testing.T, path string) string {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	ok(t, err)
	for i, name := range names {
		b, err := os.ReadFile(name)
		ok(t, err)
		names[i] = filepath.Base(name) + "=" + strings.ReplaceAll(strings.TrimSpace(string(b)), "\n", "+")
	}
	return strings.Join(names, "|")
}
