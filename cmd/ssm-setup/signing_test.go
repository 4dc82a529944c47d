package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"
	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/sign/testca"
)

const passphrase = "correct horse battery"

// TestAReleaseIsSignedAndVerified builds with keys: every promise of signing, over small programs for three systems.
func TestAReleaseIsSignedAndVerified(t *testing.T) {
	bin := threePrograms(t)
	for _, c := range []struct {
		name string
		test func(t *testing.T, bin string)
	}{
		{"build signs and verify agrees", signsAndVerifies},
		{"signed builds are reproducible", signedAlike},
		{"keys from the environment", keysFromTheEnvironment},
		{"bad keys write nothing", badKeysWriteNothing},
		{"a command signs and learns no secret", commandSigns},
		{"failing leaves no unsigned package", failingLeavesNothingUnsigned},
		{"verify refuses what was changed", refusesWhatWasChanged},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, bin) })
	}
}

// threePrograms is a folder of small stamped programs for three systems.
func threePrograms(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	text := "package main\nimport \"github.com/ssm-setup/ssm-setup/installer/stamp\"\nfunc main() { println(stamp.Version()) }\n"
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []pack.Platform{{OS: "linux", Arch: "amd64"}, {OS: "windows", Arch: "amd64"}, {OS: "darwin", Arch: "amd64"}} {
		for _, name := range []string{pack.Launcher, pack.Worker} {
			cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X "+stampMark+"=ssm-setup-version=9.1.0.0",
				"-o", filepath.Join(dir, p.OS+"_"+p.Arch, p.Executable(name)), source)
			cmd.Env = append(os.Environ(), "GOOS="+p.OS, "GOARCH="+p.Arch, "CGO_ENABLED=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
	}
	return dir
}

// keys are files with keys, and the arguments of build that name them.
type keys struct {
	dir       string
	authority *testca.Authority
	args      []string
}

func (k keys) file(name string) string { return filepath.Join(k.dir, name) }

func newKeys(t *testing.T) keys {
	t.Helper()
	k := keys{dir: t.TempDir(), authority: testca.New(t, time.Now())}
	config := &packet.Config{RSABits: 2048, Time: func() time.Time { return time.Now().Add(-48 * time.Hour) }}
	e, err := openpgp.NewEntity("Tests", "", "tests@example.com", config)
	if err == nil {
		err = e.EncryptPrivateKeys([]byte(passphrase), config)
	}
	if err != nil {
		t.Fatal(err)
	}
	chain, key := k.authority.RSA("Example Corp", testca.CodeSigning)
	old, oldKey := k.authority.ECDSA("Old", testca.CodeSigning, testca.Valid(time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)))
	for name, b := range map[string][]byte{
		"root.pem": k.authority.Root(), "chain.pem": chain, "key.pem": key, "old.pem": old, "old.key": oldKey, "junk": []byte("junk"),
		"private.asc": text(t, openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivateWithoutSigning(w, nil) }),
		"public.asc":  text(t, openpgp.PublicKeyType, e.Serialize), "root.json": rootOfTrust(t),
	} {
		if err := os.WriteFile(k.file(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k.args = []string{"--sign-pgp-key", k.file("private.asc"), "--sign-cert", k.file("chain.pem"), "--sign-key", k.file("key.pem")}
	return k
}

func text(t *testing.T, kind string, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err == nil {
		err = errors.Join(write(w), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packThree builds deb, rpm, msi and pkg of three systems.
func packThree(t *testing.T, bin, out string, args ...string) said {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	return ssmSetup(append([]string{"build", "--bin", bin, "--out", out, "--platform", "linux/amd64", "--platform", "windows/amd64",
		"--platform", "darwin/amd64", "--only", "deb", "--only", "rpm", "--only", "msi", "--only", "pkg", "--only", "tar"}, args...)...)
}

func signsAndVerifies(t *testing.T, bin string) {
	k := newKeys(t)
	stamps := k.authority.Serve(time.Now)
	t.Setenv(keyring.Passphrase, passphrase)
	out := t.TempDir()
	s := packThree(t, bin, out, append(k.args, "--timestamp-url", stamps.URL, "--trust", k.file("root.json"), "--verbose")...)
	if s.code != 0 {
		t.Fatal(s)
	}
	if v, there := os.LookupEnv(keyring.Passphrase); there {
		t.Errorf("the passphrase is still there for children: %q", v)
	}
	if stamps.Requests.Load() < 4 { // two programs, MSI, pkg
		t.Errorf("%d timestamps", stamps.Requests.Load())
	}
	dir := filepath.Join(out, "9.1.0.0")
	statesAll(t, dir)
	leaks(t, k, dir, s)
	signed := []string{"amazon-ssm-agent-debian-amd64.deb", "amazon-ssm-agent-linux-amd64.rpm", "amazon-ssm-agent-windows-amd64.msi",
		"amazon-ssm-agent-darwin-amd64.pkg", "amazon-ssm-agent-debian-amd64.deb.sig", "amazon-ssm-agent-linux-amd64.rpm.sig", build.SumsFile}
	var args []string
	for _, name := range signed {
		args = append(args, filepath.Join(dir, name))
	}
	s = ssmSetup(append([]string{"verify", "--json", "--key", k.file("public.asc"), "--ca", k.file("root.pem")}, args...)...)
	var res struct {
		Files []struct {
			Trust      string
			Signatures []any
		}
	}
	if err := json.Unmarshal([]byte(s.out), &res); err != nil || s.code != 0 || len(res.Files) != len(signed) {
		t.Fatal(s, err)
	}
	for _, f := range res.Files {
		if f.Trust != "key" && f.Trust != "ca" || len(f.Signatures) == 0 {
			t.Errorf("%+v", f)
		}
	}
	root, err := os.ReadFile(k.file("root.json"))
	must(t, err)
	if content := members(t, filepath.Join(dir, "amazon-ssm-agent-portable-linux-amd64.tar.gz")); content[pack.TrustFile] != string(root) {
		t.Errorf("the root of trust is %q", content[pack.TrustFile])
	}
	program := filepath.Join(t.TempDir(), "x.exe")
	if unzip(t, filepath.Join(dir, "amazon-ssm-agent-portable-windows-amd64.zip"), "amazon-ssm-agent.exe", program); ssmSetup("verify",
		"--ca", k.file("root.pem"), program).code != 0 {
		t.Error("the program inside is not signed")
	}
	// Built again without keys: nothing stays that says otherwise.
	if s := packThree(t, bin, out); s.code != 0 {
		t.Fatal(s)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*.sig")); len(found) > 0 {
		t.Errorf("signatures of the build before: %v", found)
	}
	s = ssmSetup(append([]string{"verify", "--key", k.file("public.asc")}, args[0])...)
	if s.code != exitVerify || !strings.Contains(s.err, "it is not signed") || !strings.Contains(s.err, "hint: ") {
		t.Errorf("unsigned: %+v", s)
	}
	if s := ssmSetup("verify", args[0], args[2]); s.code != 0 || strings.Count(s.out, "not signed") != 2 {
		t.Errorf("unsigned, nothing asked for: %+v", s)
	}
}

// statesAll checks that the statements of a release name every package that SHA256SUMS lists, with its hash.
func statesAll(t *testing.T, dir string) {
	t.Helper()
	sums, err := os.ReadFile(filepath.Join(dir, build.SumsFile))
	if err != nil {
		t.Fatal(err)
	}
	var stated string
	statements, _ := filepath.Glob(filepath.Join(dir, "provenance-*.intoto.json"))
	for _, path := range statements {
		b, _ := os.ReadFile(path)
		stated += string(b)
	}
	packages := 0
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if _, _, ok := pack.Of(name); !ok {
			continue
		}
		if packages++; !strings.Contains(stated, `"`+name+`"`) || !strings.Contains(stated, sum) {
			t.Errorf("no statement names %s with its hash", name)
		}
	}
	if packages < 7 || len(statements) != 3 {
		t.Errorf("%d packages, %d statements", packages, len(statements))
	}
}

// leaks looks for secrets in what a build wrote and said.
func leaks(t *testing.T, k keys, dir string, s said) {
	t.Helper()
	secrets := [][]byte{[]byte(passphrase)}
	for _, name := range []string{"key.pem", "private.asc"} {
		b, err := os.ReadFile(k.file(name))
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, bytes.Split(b, []byte("\n"))[3])
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	all := map[string][]byte{"standard output": []byte(s.out), "standard error": []byte(s.err)}
	for _, f := range files {
		if all[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range all {
		for _, secret := range secrets {
			if bytes.Contains(b, secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
}

// Without timestamps, the same input and keys give the same bytes, signatures included.
func signedAlike(t *testing.T, bin string) {
	k := newKeys(t)
	one, two := t.TempDir(), t.TempDir()
	for _, out := range []string{one, two} {
		t.Setenv(keyring.Passphrase, passphrase)
		if s := packThree(t, bin, out, k.args...); s.code != 0 {
			t.Fatal(s)
		}
	}
	files, _ := filepath.Glob(filepath.Join(one, "9.1.0.0", "*"))
	for _, f := range files {
		a, err := os.ReadFile(f)
		b, err2 := os.ReadFile(filepath.Join(two, "9.1.0.0", filepath.Base(f)))
		if err != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs, %v, %v", filepath.Base(f), err, err2)
		}
	}
}

func keysFromTheEnvironment(t *testing.T, bin string) {
	k := newKeys(t)
	for name, file := range map[string]string{"MY_CERT": "chain.pem", "MY_KEY": "key.pem", "MY_PGP": "private.asc"} {
		b, err := os.ReadFile(k.file(file))
		if err != nil {
			t.Fatal(err)
		}
		value := string(b)
		if name == "MY_KEY" {
			value = base64.StdEncoding.EncodeToString(b)
		}
		t.Setenv(name, value)
	}
	t.Setenv(keyring.Passphrase, passphrase)
	out := t.TempDir()
	if s := packThree(t, bin, out, "--sign-pgp-key", "env:MY_PGP", "--sign-cert", "env:MY_CERT", "--sign-key", "env:MY_KEY"); s.code != 0 {
		t.Fatal(s)
	}
	if s := ssmSetup("verify", "--ca", k.file("root.pem"), filepath.Join(out, "9.1.0.0", "amazon-ssm-agent-windows-amd64.msi")); s.code != 0 {
		t.Error(s)
	}
	for _, name := range []string{"MY_CERT", "MY_KEY", "MY_PGP"} {
		if os.Getenv(name) != "" {
			t.Errorf("%s is still there for children", name)
		}
	}
}

// signerText is a program that stands for an HSM: it signs what comes in with the key its first argument names, and writes down
// all that it was told.
const signerText = `package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	text, _ := os.ReadFile(os.Args[1])
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	sum, _ := io.ReadAll(os.Stdin)
	log, _ := os.OpenFile(os.Args[2], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	fmt.Fprintf(log, "%s\n%s\n%x\n", strings.Join(os.Args[3:], " "), strings.Join(os.Environ(), "\n"), sum)
	sig, err := rsa.SignPKCS1v15(nil, key.(*rsa.PrivateKey), crypto.SHA256, sum)
	if err != nil {
		panic(err)
	}
	fmt.Println(base64.StdEncoding.EncodeToString(sig))
}
`

// A key that stays outside signs exe, msi and pkg; the program that holds it is told digests, and no passphrase of another key.
func commandSigns(t *testing.T, bin string) {
	k := newKeys(t)
	source, signer, log := filepath.Join(k.dir, "signer.go"), filepath.Join(k.dir, "signer"), filepath.Join(k.dir, "log")
	if runtime.GOOS == "windows" {
		signer += ".exe"
	}
	if err := os.WriteFile(source, []byte(signerText), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", signer, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv(keyring.Passphrase, "not for this key")
	t.Setenv(keyring.PGPPassphrase, passphrase)
	out := t.TempDir()
	s := packThree(t, bin, out, "--sign-pgp-key", k.file("private.asc"), "--sign-cert", k.file("chain.pem"),
		"--sign-command", strings.Join([]string{signer, k.file("key.pem"), log}, " "))
	if s.code != 0 {
		t.Fatal(s)
	}
	told, err := os.ReadFile(log)
	if err != nil || strings.Count(string(told), "x509 rsa-sha256 ") < 5 { // two programs, msi, pkg twice
		t.Errorf("%v\n%s", err, told)
	}
	for _, secret := range []string{passphrase, "not for this key", "PRIVATE KEY"} {
		if strings.Contains(string(told), secret) || strings.Contains(s.out+s.err, secret) {
			t.Errorf("%q was told", secret)
		}
	}
	leaks(t, k, filepath.Join(out, "9.1.0.0"), s)
	dir := filepath.Join(out, "9.1.0.0")
	if s := ssmSetup("verify", "--ca", k.file("root.pem"), filepath.Join(dir, "amazon-ssm-agent-windows-amd64.msi"),
		filepath.Join(dir, "amazon-ssm-agent-darwin-amd64.pkg")); s.code != 0 {
		t.Error(s)
	}
	s = packThree(t, bin, t.TempDir(), "--sign-cert", k.file("chain.pem"), "--sign-command", filepath.Join(k.dir, "gone"))
	if s.code != ExitFailed || !strings.Contains(s.err, "the signing command failed") || !strings.Contains(s.err, "hint: it is run as CMD") {
		t.Errorf("no such command: %+v", s)
	}
}

// Whatever is wrong with keys is said before anything is written.
func badKeysWriteNothing(t *testing.T, bin string) {
	k := newKeys(t)
	for name, c := range map[string]struct {
		args  []string
		code  int
		words string
	}{
		"no passphrase":       {[]string{"--sign-pgp-key", k.file("private.asc")}, exitUsage, keyring.Passphrase},
		"wrong passphrase":    {[]string{"--sign-pgp-key", k.file("private.asc")}, exitUsage, keyring.Passphrase},
		"a folder":            {[]string{"--sign-pgp-key", k.dir}, exitUsage, "cannot read --sign-pgp-key"},
		"no such file":        {[]string{"--sign-pgp-key", k.file("none")}, exitUsage, "cannot read --sign-pgp-key"},
		"no key":              {[]string{"--sign-pgp-key", k.file("junk")}, exitUsage, "cannot be used"},
		"expired certificate": {[]string{"--sign-cert", k.file("old.pem"), "--sign-key", k.file("old.key")}, exitRefused, "Old"},
		"another's key": {[]string{"--sign-cert", k.file("chain.pem"), "--sign-key", k.file("old.key")}, exitUsage,
			"none of the certificates"},
		"no private key":     {[]string{"--sign-cert", k.file("chain.pem")}, exitUsage, "private key"},
		"empty variable":     {[]string{"--sign-key", "env:NOTHING_HERE", "--sign-cert", k.file("chain.pem")}, exitUsage, "NOTHING_HERE"},
		"only a command":     {[]string{"--sign-command", "true"}, exitUsage, "--sign-cert"},
		"no address":         {append(k.args[2:6:6], "--timestamp-url", "nowhere"), exitUsage, "--timestamp-url"},
		"no root of trust":   {[]string{"--trust", k.file("none")}, exitUsage, "cannot read --trust"},
		"trust that is none": {[]string{"--trust", k.file("junk")}, exitUsage, "JSON"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		if name == "wrong passphrase" {
			t.Setenv(keyring.PGPPassphrase, "incorrect horse battery")
		}
		s := packThree(t, bin, out, c.args...)
		if s.code != c.code || !strings.Contains(s.err, c.words) || !strings.HasPrefix(s.err, "error: cannot ") ||
			!strings.Contains(s.err, "\nhint: ") ||
			strings.Contains(s.err, "horse") {
			t.Errorf("%s: %+v", name, s)
		}
		if setup.Exists(out) {
			t.Errorf("%s: something was written", name)
		}
	}
}

// When a time-stamp server or a command fails in the middle, no file has an artifact's name that is not signed.
func failingLeavesNothingUnsigned(t *testing.T, bin string) {
	k := newKeys(t)
	stamps := k.authority.Serve(time.Now)
	stamps.Refuse.Store(true)
	out := t.TempDir()
	s := packThree(t, bin, out, append(k.args[2:6:6], "--timestamp-url", stamps.URL)...)
	if s.code != ExitFailed || !strings.Contains(s.err, "time-stamp server") {
		t.Error(s)
	}
	for _, pattern := range []string{"*.msi", "*.pkg", "*windows*", ".making-*"} {
		if found, _ := filepath.Glob(filepath.Join(out, "9.1.0.0", pattern)); len(found) > 0 {
			t.Errorf("left behind: %v", found)
		}
	}
}

func refusesWhatWasChanged(t *testing.T, bin string) {
	k := newKeys(t)
	t.Setenv(keyring.Passphrase, passphrase)
	out := t.TempDir()
	if s := packThree(t, bin, out, k.args...); s.code != 0 {
		t.Fatal(s)
	}
	deb := filepath.Join(out, "9.1.0.0", "amazon-ssm-agent-debian-amd64.deb")
	b, err := os.ReadFile(deb)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(deb, b, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{deb, deb + ".sig", filepath.Join(out, "9.1.0.0", build.SumsFile)} {
		s := ssmSetup("verify", "--key", k.file("public.asc"), file)
		if s.code != exitVerify || !strings.Contains(s.out, "NOT VERIFIED") || !strings.Contains(s.err, "hint: the file is damaged") {
			t.Errorf("%s: %+v", file, s)
		}
	}
	for name, args := range map[string][]string{"no file": {}, "no key": {"--key", k.file("junk"), deb},
		"no authority": {"--ca", k.file("junk"), deb}} {
		if s := ssmSetup(append([]string{"verify"}, args...)...); s.code != exitUsage {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := ssmSetup("verify", filepath.Join(out, "none")); s.code == 0 || !strings.Contains(s.err, "no such file") {
		t.Errorf("missing file: %+v", s)
	}
}

// unzip takes one file out of a zip.
func unzip(t *testing.T, archive, name, to string) {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err == nil {
		err = os.WriteFile(to, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// members reads a tar.gz.
func members(t *testing.T, path string) (content map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	content = map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return content
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		content[h.Name] = string(b)
	}
}
