//go:build boot && linux

package boot_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/setupexe"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/sign/testca"
)

// Signed packages install like others, and another tool finds the signatures good: of the package, of the installer that
// carries it, and of the programs it put on the disk.
func TestASignedMSIInstallsAndItsSignaturesAreGood(t *testing.T) {
	now := time.Now()
	n := testca.New(t, now)
	chain, key := n.RSA("Example Corp", testca.CodeSigning)
	stamps := n.Serve(time.Now)
	signer, err := sign.Open(sign.Options{Cert: chain, Key: key, Now: now, TimestampURL: stamps.URL})
	must(t, err)
	h := newMSIHost(t, pack.Signing{Authenticode: func(path string) error { return signer.Authenticode(context.Background(), path) }},
		"9.1.0.0")
	root := filepath.Join(t.TempDir(), "root.pem")
	must(t, os.WriteFile(root, n.Root(), 0o600))
	verify := func(path string) {
		t.Helper()
		out, err := outside("osslsigncode", "verify", "-CAfile", root, "-TSA-CAfile", root, "-in", h.path(path))
		if err != nil || !strings.Contains(out, "Signature verification: ok") {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
	}
	verify(`C:\9.1.0.0.msi`)
	verify(`C:\9.1.0.0.exe`)
	f, err := os.Open(h.path(`C:\9.1.0.0.exe`))
	must(t, err)
	defer f.Close()
	info, err := f.Stat()
	must(t, err)
	inner, err := setupexe.Read(f, info.Size())
	must(t, err)
	if outer, err := os.ReadFile(h.path(`C:\9.1.0.0.msi`)); err != nil || !bytes.Equal(inner, outer) {
		t.Errorf("the installer carries %d bytes, the package has %d: %v", len(inner), len(outer), err)
	}
	h.code("0", `C:\9.1.0.0.exe`, "/quiet", "/norestart", "/log", `C:\msi.log`)
	h.installed("9.1.0.0", "0x2")
	for _, name := range []string{mainExe, agentExe, "ssm-cli.exe"} {
		verify(programs + name)
	}
	h.code("0", "msiexec", "/x", `C:\9.1.0.0.msi`, "/qn")
	h.removed()
}
