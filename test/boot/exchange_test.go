//go:build boot && linux

package boot_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal/screen"
	"github.com/ssm-setup/ssm-setup/manifests"
)

const amazons33 = "3.3.9999.0"

// exchanges is a machine with the stand-in of Amazon's agent, beside a region that has it and ours, with the updater package.
type exchanges struct {
	*host
	platform, payload string
}

// newExchanges has the stand-in installed and registered.
func newExchanges(t *testing.T, s system, how string) exchanges {
	t.Helper()
	return exchangesOn(bare(t, s), how)
}

// exchangesOn is the same on a machine that runs.
func exchangesOn(on *host, how string) exchanges {
	t, s := on.t, on.sys
	t.Helper()
	h := exchanges{on, "ubuntu", "amazon-ssm-agent.deb"}
	formats := "deb,update-ubuntu,updater-ubuntu"
	if s.name != "deb" {
		h.platform, h.payload, formats = "linux", "amazon-ssm-agent.rpm", "rpm,update,updater"
	}
	out := offered(t, h.platform, formats)
	publish := exec.Command(filepath.Join(dist, "ssm-setup"), "publish", "--from", filepath.Join(out, "9.1.0.0"), "--region", "local",
		"--endpoint", h.region.URL())
	publish.Env = append(os.Environ(), "AWS_SHARED_CREDENTIALS_FILE="+h.region.CredentialsFile(), "AWS_EC2_METADATA_DISABLED=true")
	if said, err := publish.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	original := h.original(amazons33, "commands"+how)
	h.offer(amazons33, original)
	h.configure()
	h.sh("ls /etc/amazon/ssm && cp /etc/amazon/ssm/amazon-ssm-agent.json /root/settings")
	must(t, writeFile(filepath.Join(h.root, "root", h.payload), original, 0o644))
	if s.name == "deb" {
		h.sh("dpkg -i /root/" + h.payload)
	} else {
		h.sh("rpm -i /root/" + h.payload)
	}
	h.active()
	h.registerAs(amazons33)
	return h
}

// offered is the folder of what a region offers to an original on a platform, made once.
func offered(t *testing.T, platform, formats string) string {
	t.Helper()
	bases.Lock()
	defer bases.Unlock()
	out := filepath.Join(dist, "exchange-"+platform)
	if _, err := os.Stat(out); err == nil {
		return out
	}
	if said, err := outside(filepath.Join(dist, "ssm-setup"), "build", "--version", "9.1.0.0", "--platform", "linux/"+runtime.GOARCH,
		"--only", formats, "--out", out+".new"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	must(t, os.Rename(out+".new", out))
	return out
}

// original is the stand-in's package.
func (h exchanges) original(version, how string) []byte {
	h.t.Helper()
	if h.sys.name == "deb" {
		return standIn(h.t, version, how)
	}
	program := filepath.Join(h.t.TempDir(), "program")
	if out, err := outside("go", "build", "-trimpath", "-buildvcs=false", "-ldflags",
		"-s -w -X main.version="+version+" -X main.how="+how,
		"-o", program, "./test/original"); err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
	h.copy(program, "/root/program")
	h.put("root/original.service", originalUnit)
	spec := strings.ReplaceAll(originalSpec, "3.3.987.0", version)
	begin, end := strings.Index(spec, "printf"), strings.Index(spec, "chmod 755")
	spec = spec[:begin] +
		"for p in amazon-ssm-agent ssm-agent-worker ssm-document-worker; do cp /root/program %{buildroot}/usr/bin/$p; done\n" + spec[end:]
	h.put("root/original.spec", "%global debug_package %{nil}\n"+spec)
	h.sh("rpmbuild -bb --quiet --define '_topdir /root/build' /root/original.spec && mv /root/build/RPMS/*/*.rpm /root/original.rpm")
	return readFile(h.t, filepath.Join(h.root, "root/original.rpm"))
}

// offer has the region list an archive with a package in it.
func (h exchanges) offer(version string, pkg []byte) {
	h.t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	a := tar.NewWriter(z)
	must(h.t, a.WriteHeader(&tar.Header{Name: h.payload, Mode: 0o644, Size: int64(len(pkg))}))
	_, err := a.Write(pkg)
	must(h.t, errors.Join(err, a.Close(), z.Close()))
	old, err := h.region.Get("ssm-agent-manifest.json")
	must(h.t, err)
	m, err := manifests.ParseManifest(old)
	must(h.t, err)
	file, sum := "amazon-ssm-agent-"+h.platform+"-"+runtime.GOARCH+".tar.gz", sha256.Sum256(b.Bytes())
	m.Add("amazon-ssm-agent", file, manifests.FileVersion{Version: version, Checksum: hex.EncodeToString(sum[:])})
	must(h.t, h.region.Put("amazon-ssm-agent/"+version+"/"+file, b.Bytes()))
	must(h.t, h.region.Put("ssm-agent-manifest.json", m.Bytes()))
}

// exchange has the document move the machine to a version; during runs while it is under way.
func (h exchanges) exchange(version, says string, during func()) {
	h.t.Helper()
	id, err := h.region.SendCommand("AWS-UpdateSSMAgent", h.node, map[string][]string{"version": {version},
		"allowDowngrade": {"true"}})
	must(h.t, err)
	if during != nil {
		during()
	}
	inv, err := h.region.WaitCommand(h.t.Context(), id, h.node)
	must(h.t, err)
	text := ""
	for _, s := range h.region.Replies(id, h.node) {
		text += s.Payload
	}
	if inv.Status != "Success" || !strings.Contains(text, says) {
		h.t.Fatalf("the update to %s: %+v\n%s\n%s", version, inv, text, h.sh("tail -60 /var/log/amazon/ssm/AmazonSSMAgent-update.txt"))
	}
	h.online(version)
	h.active()
	h.isEnabled("enabled")
	h.eventually("the keeper to be gone", func() bool {
		return h.sh("ls /var/lib/ssm-setup /etc/systemd/system/ssm-setup-takeover.service 2>/dev/null; true") == ""
	})
	h.sh("cmp /root/settings /etc/amazon/ssm/amazon-ssm-agent.json && test ! -e /var/lib/amazon/ssm/update.lock")
	if nodes := h.region.Instances(); len(nodes) != 1 || nodes[0].InstanceID != h.node {
		h.t.Errorf("another node: %+v", nodes)
	}
}

// at waits until the exchange stands at a row.
func (h exchanges) at(row string) {
	h.t.Helper()
	h.eventually("the row "+row, func() bool {
		_, err := h.try("grep", `"step": "`+row, "/var/lib/ssm-setup/takeover/record")
		return err == nil
	})
}

// cut is the end of everything that runs, without a chance to write anything.
func (h exchanges) cut() {
	h.t.Helper()
	before := h.leader()
	_, _ = h.try("reboot", "-ff")
	h.eventually("the reboot", func() bool { p := h.leader(); return p != 0 && p != before })
	h.wait()
}

// A region of ours takes Amazon's agent over by its own document, with a command at work and one that waits for a reboot, and gives it
// back; every row is survived.
func TestAnOriginalIsTakenOverByItsOwnDocumentAndComesBack(t *testing.T) {
	for _, s := range systems[:2] {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := newExchanges(t, s, "")
			must(t, h.region.PutDocument("waits", `{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"runShellScript",
				"inputs":{"runCommand":["true"]}}],"parameters":{"commands":{"type":"StringList","default":[]}}}`))
			running, err := h.region.SendCommand("AWS-RunShellScript", h.node, map[string][]string{"commands": {"runs-on"}})
			must(t, err)
			h.eventually("the command to run", func() bool { _, err := os.Stat(filepath.Join(h.root, "root/begun")); return err == nil })
			h.exchange("9.1.0.0", "amazon-ssm-agent updated successfully to 9.1.0.0", nil)
			h.processes()
			h.put("root/go-on", "")
			inv, err := h.region.WaitCommand(t.Context(), running, h.node)
			must(t, err)
			if got := h.sh("cat /root/begun"); inv.Status != "Success" || got != "begun\nended\n" {
				t.Errorf("the running command: %+v, %q", inv, got)
			}
			h.echo("by ours")

			h.exchange(amazons33, "amazon-ssm-agent updated successfully to "+amazons33, func() { h.at("exchange"); h.cut() })
			h.sh("test ! -e /var/lib/amazon/ssm/store && test ! -e /var/lib/amazon/ssm/pointer")

			waiting, err := h.region.SendCommand("AWS-RunShellScript", h.node, map[string][]string{"commands": {"for-reboot"}})
			must(t, err)
			h.exchange("9.1.0.0", "amazon-ssm-agent updated successfully to 9.1.0.0", func() { h.at("exchange"); h.cut() })
			inv, err = h.region.WaitCommand(t.Context(), waiting, h.node)
			must(t, err)
			if got := h.sh("cat /root/after"); inv.Status != "Success" || got != "after\n" {
				t.Errorf("the command that waited for a reboot: %+v, %q", inv, got)
			}
			h.echo("in the end")
		})
	}
}

// The updater is killed while the package is exchanged; its keeper goes on, with no boot between. The command came over ssmmessages, so the
// answer is a file that the new agent sends.
func TestTheKeeperGoesOnWhereTheUpdaterIsKilled(t *testing.T) {
	t.Parallel()
	h := newExchanges(t, systems[0], "-mgs")
	h.exchange("9.1.0.0", "amazon-ssm-agent updated successfully to 9.1.0.0", func() {
		h.at("exchange")
		h.sh("pkill -9 -f '[u]pdater -update'")
	})
}

// A person who installs on a machine with Amazon's agent is asked whether ours shall take its place; a no changes nothing.
func TestAPersonIsAskedWhetherOursTakesThePlaceOfAmazons(t *testing.T) {
	t.Parallel()
	h := newExchanges(t, systems[0], "")
	h.copy(filepath.Join(dist, "ssm-setup"), "/usr/bin/ssm-setup")
	h.sh("chmod 755 /usr/bin/ssm-setup")
	install := []string{"ssm-setup", "install", "--trial", "3s", "--region", "local", "--endpoint", h.region.URL(), "--allow-unsigned"}
	if out := h.run("sh", "-c", strings.Join(install, " ")+" 2>&1"); !strings.Contains(out, "--agent ours puts it in the place of Amazon's") {
		t.Errorf("%s", out)
	}
	h.online(amazons33)
	for _, x := range [][2]string{{"n", amazons33}, {"y", "9.1.0.0"}} {
		answer, version := x[0], x[1]
		s := screen.Start(t, exec.Command("nsenter", append([]string{"-t", strconv.Itoa(h.leader()), "-a", "--"}, install...)...), 100)
		s.Await("Put this project's in its place?")
		s.Type(answer + "\n")
		if code := s.End(); code != 0 {
			t.Fatalf("%s: code %d\n%s", answer, code, s.Written())
		}
		h.online(version)
	}
}
