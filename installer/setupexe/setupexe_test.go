package setupexe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func carrier(t testing.TB, program, pkg []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, program, pkg); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(b []byte) ([]byte, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestACarriedPackageIsReadBack(t *testing.T) {
	for _, program := range []string{"", "MZ", "12345678"} {
		for _, pkg := range []string{"", "package", strings.Repeat("large", 10000)} {
			b := carrier(t, []byte(program), []byte(pkg))
			if got, err := read(b); err != nil || string(got) != pkg {
				t.Errorf("%q: %d bytes, %v", program, len(got), err)
			}
			if len(b)%8 != 0 {
				t.Errorf("%d bytes: a signature would not come right behind", len(b))
			}
		}
	}
}

func TestADamagedPackageIsRefused(t *testing.T) {
	b := carrier(t, []byte("program"), []byte(strings.Repeat("package", 100)))
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":        {nil, ErrNothing},
		"a bare program": {bytes.Repeat([]byte("x"), 200), ErrNothing},
		"cut":            {b[:len(b)-1], ErrNothing},
		"flipped":        {flip(b, 100), ErrDamaged},
		"far away":       {flip(b, len(b)-trailerSize+6), ErrDamaged},
		"too long":       {flip(b, len(b)-trailerSize+15), ErrDamaged},
	} {
		if _, err := read(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func flip(b []byte, at int) []byte { b = bytes.Clone(b); b[at] ^= 0x80; return b }

// A signature lies behind the trailer, where the header says.
func TestASignedProgramIsReadBack(t *testing.T) {
	for _, arch := range []string{"amd64", "386"} {
		exe := filepath.Join(t.TempDir(), "x.exe")
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", exe, "../../cmd/amazon-ssm-agent-setup")
		cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH="+arch, "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		program, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		b := carrier(t, program, []byte("package"))
		if got, err := read(b); string(got) != "package" {
			t.Errorf("unsigned: %q, %v", got, err)
		}
		header := int(binary.LittleEndian.Uint32(b[60:])) + 24
		directory := header + 112
		if arch == "386" {
			directory = header + 96
		}
		binary.LittleEndian.PutUint32(b[directory+4*8:], uint32(len(b)))
		binary.LittleEndian.PutUint32(b[directory+4*8+4:], 1000)
		b = append(b, bytes.Repeat([]byte("S"), 1000)...)
		if got, err := read(b); string(got) != "package" {
			t.Errorf("signed: %q, %v", got, err)
		}
	}
}

func TestOptionsBecomeALineForMsiexec(t *testing.T) {
	for in, want := range map[string]string{
		"/quiet /norestart":                       `"m" /i "p" /qn /norestart`,
		"-QUIET -Uninstall":                       `"m" /x "p" /qn`,
		"ALLOWEC2INSTALL=YES SKIPSYMLINKSCAN=YES": `"m" /i "p" ALLOWEC2INSTALL="YES" SKIPSYMLINKSCAN="YES"`,
		"CODE=a=b ID= /quiet REGION=eu-west-1":    `"m" /i "p" /qn CODE="a=b" ID="" REGION="eu-west-1"`,
		`/log /tmp/l.txt CODE=a"b`:                `"m" /i "p" /l* "/tmp/l.txt" CODE="a""b"`,
		`/log /tmp/l.txt REGION=r`:                `"m" /i "p" /l*v "/tmp/l.txt" REGION="r"`,
		"/uninstall /quiet /norestart":            `"m" /x "p" /qn /norestart`,
		"/repair /q":                              `"m" /femus "p" /qn`,
		"/install /passive":                       `"m" /i "p" /qn`,
		"/uninstall CLEARREGISTRATION=YES":        `"m" /x "p" CLEARREGISTRATION="YES"`,
		"OVERRIDE=YES ENDPOINT=https://x:7/":      `"m" /i "p" OVERRIDE="YES" ENDPOINT="https://x:7/"`,
		"ACTIVATION_CODE=c ACTIVATION_ID=i":       `"m" /i "p" ACTIVATION_CODE="c" ACTIVATION_ID="i"`,
	} {
		o, err := parse(strings.Fields(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if got := o.line("m", "p"); got != want && os.PathSeparator == '/' {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestWrongOptionsAreRefusedWithTheUsage(t *testing.T) {
	for _, in := range []string{"/what", "file.txt", "code=x", "=x", "9=x", "/log"} {
		var out, fault bytes.Buffer
		if code := Main(strings.Fields(in), &out, &fault); code != 87 || !strings.Contains(fault.String(), "usage:") {
			t.Errorf("%s: %d %s", in, code, fault.String())
		}
	}
	var out, fault bytes.Buffer
	if code := Main([]string{"/?"}, &out, &fault); code != 0 || !strings.Contains(out.String(), "/quiet") {
		t.Errorf("help: %d %s", code, out.String())
	}
	if code := Main([]string{"/quiet"}, &out, &fault); code != 1 || !strings.Contains(fault.String(), ErrNothing.Error()) {
		t.Errorf("a bare program: %d %s", code, fault.String())
	}
}

func FuzzRead(f *testing.F) {
	good := carrier(f, []byte("program"), []byte("package"))
	f.Add(good)
	for at := len(good) - trailerSize; at < len(good); at += 5 {
		f.Add(flip(good, at))
	}
	f.Add(append(bytes.Clone(good), good...)) // one in another
	f.Add(carrier(f, good, good))
	f.Fuzz(func(t *testing.T, b []byte) {
		if pkg, err := read(b); err == nil && len(pkg) > len(b) {
			t.Error("more than there is")
		}
	})
}

// Whatever a value is, msiexec gets that value and nothing else: no switch, no other property.
func FuzzLine(f *testing.F) {
	for _, v := range []string{"", "x", `a"b`, `" /x "`, `""`, `" CODE="y`, "a b\tc", `\`, "é=日本"} {
		f.Add(v, "l.txt")
	}
	f.Fuzz(func(t *testing.T, value, log string) {
		if strings.ContainsAny(value+log, "\x00\r\n") || strings.ContainsRune(log, '"') || log == "" {
			return // no argument of Windows has these
		}
		o, err := parse([]string{"/quiet", "CODE=" + value, "/log", log, "ID=i"})
		if err != nil {
			t.Fatal(err)
		}
		words := split(o.line("m", "p"))
		if len(words) != 8 || words[6] != "CODE="+value || words[7] != "ID=i" || words[1] != "/i" || words[2] != "p" {
			t.Errorf("%q, %q: %q", value, log, words)
		}
	})
}

// split takes a line apart as msiexec does: a quote opens or closes, two in a row inside are one.
func split(line string) (words []string) {
	var word strings.Builder
	inside, began := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"' && inside && i+1 < len(line) && line[i+1] == '"':
			word.WriteByte(c)
			i++
		case c == '"':
			inside, began = !inside, true
		case c == ' ' && !inside:
			if began {
				words = append(words, word.String())
			}
			word.Reset()
			began = false
		default:
			word.WriteByte(c)
			began = true
		}
	}
	if began {
		words = append(words, word.String())
	}
	return words
}

// A scanner that holds the folder changes nothing about what msiexec said: 1602 is cancelled, not failed, and 0 is done. Windows is
// asked to remove it at its next start.
func TestTheExitCodeIsMsiexecsThoughTheFolderCannotBeRemoved(t *testing.T) {
	for _, want := range []int{0, 3010, 1602, 1603, 1618} {
		var said bytes.Buffer
		later := ""
		code, err := order{}.run(world{carried: func() ([]byte, error) { return []byte("package"), nil },
			install:     func(_ order, pkg string) (int, error) { _, err := os.Stat(pkg); return want, err },
			remove:      func(string) error { return os.ErrPermission },
			removeLater: func(dir string) error { later = dir; return os.RemoveAll(dir) },
			stderr:      &said})
		if code != want || err != nil {
			t.Errorf("%d became %d, %v", want, code, err)
		}
		if later == "" || !strings.Contains(said.String(), later) {
			t.Errorf("%d: removed later: %q; said: %s", want, later, said.String())
		}
	}
}
