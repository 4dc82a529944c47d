//go:build boot && linux

package boot_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/container/msi"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/pack/resource"
)

const originalEntry = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{11111111-2222-3333-4444-555555555555}`

// An original that its own installer put there is taken over in place: programs go over its programs, its service stays as an
// admin set it, its entry is hidden and comes back.
func TestTheMSITakesOverAnOriginalInPlace(t *testing.T) {
	h := newMSIHost(t, pack.Signing{}, "9.1.0.0")
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\nfunc main() {}\n"), 0o600))
	if out, err := outside("env", "GOOS=windows", "GOARCH=amd64", "go", "build", "-trimpath", "-o", filepath.Join(dir, "x.exe"),
		filepath.Join(dir, "main.go")); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	plain, err := os.ReadFile(filepath.Join(dir, "x.exe"))
	must(t, err)
	var original bytes.Buffer
	must(t, resource.Add(&original, plain, resource.Info{Version: [4]uint16{3, 3, 987, 0}, Text: "3.3.987.0"}))
	for _, name := range []string{mainExe, agentExe, "ssm-cli.exe", "ssm-document-worker.exe"} {
		h.write(programs+name, original.String())
	}
	h.write(programs+"amazon-ssm-agent.json", `{"Profile":{"ShareCreds":true}}`)
	h.write(data+`InstanceData\an-admins-file`, "kept")
	h.run("sc", "create", "AmazonSSMAgent", "binPath=", programs+mainExe, "start=", "demand")
	for _, v := range [][]string{{"Environment", "REG_MULTI_SZ", "http_proxy=http://proxy"}, {"Version", "REG_SZ", "3.3.987.0"},
		{"ObjectName", "REG_SZ", `.\agent`}} {
		h.run("reg", "add", serviceKey, "/v", v[0], "/t", v[1], "/d", v[2], "/f")
	}
	for name, value := range map[string]string{"DisplayName": "Amazon SSM Agent", "Publisher": "Amazon Web Services",
		"DisplayVersion": "3.3.987.0"} {
		h.run("reg", "add", originalEntry, "/v", name, "/d", value, "/f")
	}

	h.code("0", `C:\9.1.0.0.exe`, "/quiet", "/norestart", "/log", `C:\msi.log`, "ALLOWEC2INSTALL=YES", "SKIPSYMLINKSCAN=YES")
	for _, name := range []string{mainExe, agentExe} {
		f, err := os.Open(h.path(programs + name))
		must(t, err)
		if v, _, err := resource.Read(f); err != nil || v != [4]uint16{9, 1, 0, 0} {
			t.Errorf("%s is of version %v, %v", name, v, err)
		}
		f.Close()
	}
	for name, want := range map[string]string{"Start": "0x3", "Environment": "http_proxy=http://proxy", "ObjectName": `.\agent`,
		"Version":         "9.1.0.0",
		"SSMDataHardened": "0x1"} {
		if got := h.value(name); got != want {
			t.Errorf("%s of the service is %q, want %q", name, got, want)
		}
	}
	if got := strings.Trim(h.value("ImagePath"), `"`); got != programs+mainExe {
		t.Errorf("the service's program is %q", got)
	}
	if text, err := os.ReadFile(h.path(programs + "amazon-ssm-agent.json")); err != nil || string(text) != `{"Profile":{"ShareCreds":true}}` {
		t.Errorf("settings: %s, %v", text, err)
	}
	if _, err := h.try("reg", "query", originalEntry, "/v", "SystemComponent"); err != nil {
		t.Error("the original's entry is listed beside ours")
	}
	h.eventually("the service", func() bool { return len(h.processes(mainExe)) == 1 && len(h.processes(agentExe)) == 1 })

	h.code("0", `C:\9.1.0.0.exe`, "/uninstall", "/quiet")
	if out, err := h.try("reg", "query", originalEntry, "/v", "SystemComponent"); err == nil {
		t.Errorf("the original's entry stays hidden: %s", out)
	}
	if _, err := os.Stat(h.path(data + `InstanceData\an-admins-file`)); err != nil {
		t.Error(err)
	}
	h.run("reg", "delete", originalEntry, "/f")
	h.removed()
}

// The same a.b.c under another product code, as another architecture's package has it, replaces what is there.
func TestAnMSIOfTheSameVersionReplacesTheOther(t *testing.T) {
	h := newMSIHost(t, pack.Signing{}, "9.1.0.0")
	b, err := os.ReadFile(h.path(`C:\9.1.0.0.msi`))
	must(t, err)
	d, err := msi.Open(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	for _, row := range d.Table("Property").Rows {
		if row[0] == "ProductCode" {
			row[1] = "{99999999-2222-4333-8444-555555555555}"
		}
	}
	d.Summary.PackageCode = ""
	var twin bytes.Buffer
	must(t, msi.Write(&twin, d))
	h.write(`C:\twin.msi`, twin.String())
	h.code("0", "msiexec", "/i", `C:\9.1.0.0.msi`, "/qn", "/l*v", `C:\msi.log`)
	h.installed("9.1.0.0", "0x2")
	h.code("0", "msiexec", "/i", `C:\twin.msi`, "/qn", "/l*v", `C:\msi.log`)
	h.installed("9.1.0.0", "0x2")
	h.code("0", "msiexec", "/x", `C:\twin.msi`, "/qn", "/l*v", `C:\msi.log`)
	h.removed()
}
