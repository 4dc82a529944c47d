package house_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ssm-setup/ssm-setup/"

// rooms says what each room may import of ours. "agent/*" stands for every room below agent, a bare name for that room
// alone; installer/stamp, the version a binary carries, and manifests/fault, the kinds of errors, are open to all (but the
// launcher's rooms, see hosts). The rows go up the stair:
// cmd → agent → updater → installer → regions → manifests.
var rooms = map[string][]string{
	"manifests":       {},
	"manifests/fault": {},

	"regions":        {},
	"regions/ground": {},
	"regions/bucket": {"regions", "regions/ground", "manifests"},
	"regions/survey": {"regions", "regions/bucket", "manifests"},
	"regions/trust":  {"regions", "regions/bucket", "regions/ground", "manifests"},
	"regions/wire":   {},

	"regions/local":           {"regions/local/*", "regions", "regions/ground", "manifests"},
	"regions/local/console":   {"regions/local", "regions", "regions/ground", "regions/wire", "manifests"},
	"regions/local/simulated": {"regions/wire"}, // for tests
	"regions/local/records":   {},
	"regions/local/protocol":  {"regions/local/records", "regions/ground", "regions/wire"},
	"regions/local/mailbox":   {"regions/local/records", "regions/wire"},
	"regions/local/s3":        {"regions/local/protocol", "regions/local/records", "regions", "regions/ground"},
	"regions/local/logs":      {"regions/local/protocol", "regions/local/records", "regions"},
	"regions/local/sts":       {"regions/local/protocol", "regions"},
	"regions/local/ssmmessages": {"regions/local/protocol", "regions/local/records", "regions/local/mailbox", "regions/local/ssm/*",
		"regions/ground", "regions/wire"},
	"regions/local/messages": {"regions/local/protocol", "regions/local/records", "regions/local/mailbox", "regions/local/ssm/*",
		"regions/wire"},
	"regions/local/ssm":            {"regions/local/protocol", "regions/local/records", "regions/local/ssm/*", "regions/wire"},
	"regions/local/ssm/nodes":      {"regions/local/protocol", "regions/local/records", "regions/local/mailbox", "regions/wire"},
	"regions/local/ssm/parameters": {"regions/local/protocol", "regions/local/records", "regions", "regions/wire"},
	"regions/local/ssm/documents":  {"regions/local/protocol", "regions/local/records", "regions/wire"},
	"regions/local/ssm/commands": {"regions/local/protocol", "regions/local/records", "regions/local/mailbox", "regions/local/ssm/nodes",
		"regions/local/ssm/documents", "regions/wire"},

	"installer/stamp":    {},
	"installer/systems":  {},
	"installer/host":     {},
	"installer/pointer":  {"installer/host"},
	"installer/launcher": {"installer/pointer", "installer/host"},
	"installer/store":    {"installer/pointer", "installer/host", "manifests"},
	"installer":          {"installer/pointer", "installer/host", "manifests"},
	"installer/service":  {"installer", "installer/host", "installer/launcher"},
	"installer/delta":    {"manifests"},
	"installer/unpack":   {},
	"installer/pack": {"installer/setupexe", "installer/host", "installer/pack/resource", "installer/container/*", "installer/sign",
		"installer/systems", "manifests"},
	"installer/build": {"installer/pack", "installer/pack/resource", "installer/container/*", "installer/host", "installer/unpack",
		"manifests"},
	"installer/container/bom":   {"installer/container/cpio"},
	"installer/container/cpio":  {},
	"installer/container/macho": {},
	"installer/container/xar":   {},
	"installer/pack/resource":   {},
	"installer/container/cab":   {},
	"installer/container/cfb":   {},
	"installer/container/msi":   {"installer/container/cfb"},
	"installer/setupexe":        {},
	"installer/publish": {"installer/build", "installer/host", "installer/pack", "installer/publish/*", "installer/signed",
		"installer/unpack", "regions", "regions/bucket",
		"manifests"},
	"installer/publish/apt": {"installer/host"},
	"installer/publish/signing": {"installer/host", "installer/publish/target", "installer/signed", "installer/unpack", "regions",
		"manifests", "manifests/fault"},
	"installer/publish/deltas": {"installer/delta", "installer/host", "installer/publish/dist", "installer/publish/target", "installer/unpack",
		"manifests"},
	"installer/publish/atom": {"installer/publish/dist", "regions", "manifests"},
	"installer/publish/dist": {"installer/build", "installer/host", "installer/pack", "installer/unpack", "regions/bucket", "manifests"},
	"installer/publish/yum":  {"installer/host"},

	"installer/publish/target":  {"installer/credentials", "installer/host", "installer/publish/uploads", "regions/bucket", "manifests"},
	"installer/publish/uploads": {"manifests"},

	"installer/credentials": {"manifests"},
	"installer/describe":    {"installer/build", "installer/host", "installer/pack"},
	"installer/anchor":      {"installer", "installer/host", "regions", "regions/bucket", "regions/trust", "manifests"},
	"installer/account":     {"installer/host", "manifests"},
	"installer/caller":      {"installer/host", "regions"},
	"installer/authority":   {"installer", "installer/host", "manifests"},
	"installer/proxy":       {"installer", "installer/host", "manifests"},
	"installer/selfswap":    {},
	"installer/timer":       {"installer/host", "manifests"},
	"installer/setup": {"installer", "installer/anchor", "regions/trust", "installer/authority", "installer/host", "installer/launcher",
		"installer/pack", "installer/proxy", "installer/service",
		"installer/store", "installer/systems", "installer/unpack", "installer/pointer", "regions", "regions/bucket", "manifests"},

	"installer/originals": {"installer", "installer/anchor", "regions/trust", "installer/authority", "installer/host", "installer/pack",
		"installer/proxy", "installer/service", "installer/setup",
		"installer/sign", "installer/systems", "installer/unpack", "regions", "regions/bucket", "manifests"},

	"installer/sign":        {"installer/host", "installer/stamp", "installer/systems", "installer/container/cfb", "installer/container/xar"},
	"installer/sign/testca": {}, // for tests
	"installer/signed":      {"installer/host", "installer/sign", "regions", "manifests"},

	"updater/ledger": {"installer", "installer/host", "installer/pointer", "manifests"},
	"updater/takeover": {"updater/ledger", "updater/policy", "installer", "installer/host", "installer/systems", "installer/unpack",
		"regions/bucket", "regions/wire", "manifests"},
	"updater/watch":    {"installer", "installer/launcher", "installer/pointer"},
	"updater/schedule": {"installer", "installer/host", "regions", "regions/bucket", "manifests"},
	"updater/download": {"updater/ledger", "installer/delta", "installer/host", "installer/pointer", "manifests"},
	"updater/policy":   {"updater/ledger", "installer", "installer/host", "manifests"},
	"updater": {"updater/ledger", "updater/download", "updater/policy", "updater/schedule", "updater/watch", "installer", "installer/host",
		"installer/launcher", "installer/pointer", "installer/store", "installer/unpack", "regions", "regions/bucket",
		"regions/wire", "manifests"},

	"agent/document":  {},
	"agent/cloud":     {"installer/host", "regions", "regions/wire"},
	"agent/config":    {"installer", "installer/host"},
	"agent/watchdog":  {},
	"agent/logfile":   {"installer/host"},
	"agent/output":    {"agent/cloud", "installer/host"},
	"agent/journal":   {"installer/host", "regions/wire"},
	"agent/identity":  {"agent/cloud", "agent/config", "installer", "installer/host", "regions", "regions/wire"},
	"agent/timetable": {"updater/schedule", "installer", "installer/host", "manifests"},
	"agent/health":    {"agent/cloud", "agent/identity", "installer", "installer/host", "regions/wire"},
	"agent/plugins":   {"agent/document", "agent/output", "agent/cloud", "installer", "installer/host", "regions/wire"},
	"agent/runner":    {"agent/document", "agent/journal", "agent/output", "agent/plugins", "installer/host", "regions/wire"},
	"agent/mailbox":   {"agent/cloud", "agent/journal", "agent/socket", "agent/watchdog", "installer/host", "regions/wire"},
	"agent/socket":    {"agent/cloud", "installer/host"},
	"agent/dispatch": {"agent/cloud", "agent/config", "agent/document", "agent/journal", "agent/mailbox", "agent/output", "agent/plugins",
		"agent/runner", "installer/host", "regions/wire"},
	"agent": {"agent/*", "installer", "installer/host", "installer/launcher", "installer/pointer", "regions", "regions/wire"},

	"cmd/amazon-ssm-agent":       {"installer/launcher"},
	"cmd/amazon-ssm-agent-setup": {"installer/setupexe"},
	"cmd/ssm-agent-worker": {"agent", "agent/*", "updater", "updater/*", "installer", "installer/*", "regions", "regions/*",
		"manifests"},
	"cmd/ssm-setup/setupcli": {"installer", "installer/*", "regions", "regions/bucket", "regions/trust", "manifests"},
	"cmd/ssm-setup/keyring": {"installer/container/xar", "installer/pack", "installer/publish/signing", "installer/sign",
		"installer/signed"},
	"cmd/ssm-setup/terminal":        {"manifests/fault"},
	"cmd/ssm-setup/terminal/screen": {},
	"cmd/ssm-setup/manual":          {},
	"cmd/ssm-setup/flags": {"cmd/ssm-setup/terminal", "installer", "installer/*", "regions", "regions/*",
		"manifests", "manifests/*"},
	"cmd/ssm-setup/fleet": {"cmd/ssm-setup/flags", "cmd/ssm-setup/terminal", "agent/cloud", "installer/credentials", "regions",
		"manifests/fault"},
	"cmd/ssm-setup/rules": {"cmd/ssm-setup/flags", "cmd/ssm-setup/terminal", "updater", "updater/ledger", "updater/policy", "installer",
		"installer/setup", "installer/store", "manifests"},
	"cmd/ssm-setup/current": {"cmd/ssm-setup/terminal", "agent/config", "installer", "installer/*", "regions", "regions/trust",
		"updater/ledger", "updater/schedule", "manifests"},
	"cmd/ssm-setup/logs": {"cmd/ssm-setup/flags", "cmd/ssm-setup/terminal", "updater", "installer", "manifests/fault"},
	"cmd/ssm-setup/machine": {"cmd/ssm-setup/current", "cmd/ssm-setup/flags", "cmd/ssm-setup/rules", "cmd/ssm-setup/terminal",
		"agent/*", "updater", "updater/*", "installer", "installer/*", "regions", "regions/*", "manifests"},
	"cmd/ssm-setup/releases": {"cmd/ssm-setup/flags", "cmd/ssm-setup/keyring", "cmd/ssm-setup/terminal", "installer", "installer/*",
		"regions", "regions/*", "manifests"},
	"cmd/ssm-setup/playground": {"cmd/ssm-setup/flags", "cmd/ssm-setup/terminal", "agent/*", "installer", "installer/*", "regions",
		"regions/*", "manifests"},
	"cmd/ssm-setup": {"cmd/ssm-setup/*", "agent/*", "updater", "updater/ledger", "updater/policy", "installer", "installer/*",
		"regions", "regions/*", "manifests"},
}

// doors are the only rooms (tests aside) that may import a library.
var doors = map[string][]string{
	"github.com/aws/aws-sdk-go-v2": {"agent/cloud", "agent/identity", "installer/caller", "installer/credentials",
		"installer/publish/target", "installer/publish/uploads"},
	"github.com/CycloneDX/cyclonedx-go": {"installer/describe"},
	"github.com/goreleaser/nfpm":        {"installer/pack"},
	"github.com/google/rpmpack":         {"installer/pack"},
	"github.com/minio/selfupdate":       {"installer/selfswap"},
	"github.com/coder/websocket":        {"agent/socket", "regions/local/ssmmessages"},
	"github.com/Masterminds/semver":     {"manifests"},
	"github.com/adhocore/gronx":         {"updater/policy"},
	"github.com/urfave/cli": {"cmd/ssm-setup", "cmd/ssm-setup/current", "cmd/ssm-setup/flags", "cmd/ssm-setup/fleet", "cmd/ssm-setup/logs",
		"cmd/ssm-setup/machine", "cmd/ssm-setup/playground",
		"cmd/ssm-setup/releases", "cmd/ssm-setup/rules", "cmd/ssm-setup/terminal"},
	"github.com/kardianos/service":                      {"installer/service"},
	"github.com/tc-hib/winres":                          {"installer/pack/resource"},
	"go.etcd.io/bbolt":                                  {"regions/local/records"},
	"github.com/ProtonMail/go-crypto":                   {"installer/sign"},
	"github.com/chromedp":                               {}, // tests drive a browser by it
	"github.com/creack/pty":                             {"cmd/ssm-setup/terminal/screen"},
	"github.com/rogpeppe/go-internal":                   {"regions/local/console"},
	"github.com/sassoftware/relic":                      {"installer/sign", "installer/sign/testca"},
	"github.com/theupdateframework/go-tuf":              {"installer/signed"},
	"github.com/secure-systems-lab/go-securesystemslib": {"installer/signed"},
	"github.com/aws/smithy-go":                          {"installer/credentials", "installer/publish/target"},
	"github.com/ulikunitz/xz":                           {"installer/publish/apt"},
	"software.sslmate.com/src":                          {"installer/sign"},
}

// hosts are the binaries that lie on machines, with what they must never link: import paths or their beginnings.
var hosts = map[string][]string{
	"cmd/amazon-ssm-agent": never("github.com/", "gopkg.in/", "go.", "golang.org/x/", "net", "net/http", "encoding/json", module+"manifests"),
	"cmd/ssm-agent-worker": never(),
}

// never adds what no host binary links: reflection by method name would keep every generated client alive.
func never(more ...string) []string {
	return append(more, module+"installer/pack", module+"installer/container", module+"installer/build", module+"installer/publish",
		module+"installer/selfswap", module+"regions/local",
		"github.com/urfave/cli", "text/template", "html/template", "github.com/aws/aws-sdk-go-v2/service",
		"github.com/aws/aws-sdk-go-v2/config", "google.golang.org/protobuf", "testing", "go.etcd.io/bbolt")
}

// launcherMay are the exceptions of the launcher: its own rooms and x/sys.
var launcherMay = []string{module + "cmd/amazon-ssm-agent", module + "installer/", "golang.org/x/sys"}

type pkg struct {
	ImportPath, Name, Dir, Doc string
	Imports                    []string
	Standard                   bool
}

// list runs go list for a system and architecture.
func list(t *testing.T, goos string, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Dir,Doc,Imports,Standard"}, args...)...)
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if e := (*exec.ExitError)(nil); errors.As(err, &e) {
			stderr = e.Stderr
		}
		t.Fatalf("go list: %v\n%s", err, stderr)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var systems = []string{"linux", "darwin", "windows"}

func TestRoomsImportDownTheStair(t *testing.T) {
	for _, f := range goFiles(t, root(t)) {
		if f.test {
			continue
		}
		allowed, known := rooms[f.room]
		if !known {
			t.Errorf("%s is no room of this house: add it to the table, with what it may import", f.room)
			continue
		}
		for _, imported := range f.imports() {
			if ours, ok := strings.CutPrefix(imported, module); ok && !permits(allowed, ours) {
				t.Errorf("%s may not import %s", f.path, ours)
			}
		}
	}
}

// A test beside the code may use more than the code, but nothing in test/.
func TestNoRoomNeedsTheTests(t *testing.T) {
	for _, f := range goFiles(t, root(t)) {
		for _, imported := range f.imports() {
			if strings.HasPrefix(imported, module+"test/") && !strings.HasPrefix(f.room, "test/") {
				t.Errorf("%s imports %s", f.path, imported)
			}
		}
	}
}

func permits(allowed []string, room string) bool {
	if room == "installer/stamp" || room == "manifests/fault" {
		return true
	}
	return slices.ContainsFunc(allowed, func(a string) bool {
		below, ok := strings.CutSuffix(a, "/*")
		return a == room || ok && strings.HasPrefix(room, below+"/")
	})
}

func TestEveryRoomStands(t *testing.T) {
	var found []string
	for _, p := range list(t, "linux", "./...") {
		found = append(found, strings.TrimPrefix(p.ImportPath, module))
		if p.Doc == "" && !strings.HasPrefix(p.ImportPath, module+"test/") {
			t.Errorf("%s has no package comment: it is the room's design page", p.ImportPath)
		}
	}
	for room := range rooms {
		if !slices.Contains(found, room) {
			t.Errorf("%s is in the table, but there is no such room", room)
		}
	}
}

func TestOneLibraryOneDoor(t *testing.T) {
	used := map[string]bool{}
	for _, f := range goFiles(t, root(t)) {
		for _, imported := range f.imports() {
			for library, rooms := range doors {
				if imported != library && !strings.HasPrefix(imported, library+"/") {
					continue
				}
				used[library+" "+f.room] = true
				if !f.test && !slices.Contains(rooms, f.room) {
					t.Errorf("%s imports %s; its doors are %v", f.path, imported, rooms)
				}
			}
		}
	}
	for library, rooms := range doors {
		for _, room := range rooms {
			if !used[library+" "+room] {
				t.Errorf("%s is a door to %s that leads nowhere", room, library)
			}
		}
	}
}

func TestHostBinariesStayLean(t *testing.T) {
	for _, goos := range systems {
		for binary, banned := range hosts {
			if goos == "windows" { // x/sys/windows itself imports net
				banned = slices.DeleteFunc(slices.Clone(banned), func(b string) bool { return b == "net" })
			}
			for _, p := range list(t, goos, "-deps", "./"+binary) {
				if binary == "cmd/amazon-ssm-agent" && (p.Standard && !slices.Contains(banned, p.ImportPath) || hasAny(p.ImportPath, launcherMay)) &&
					!hasAny(p.ImportPath, never()) {
					continue
				}
				for _, b := range banned {
					if p.ImportPath == b || strings.HasSuffix(b, "/") && strings.HasPrefix(p.ImportPath, b) || !p.Standard &&
						strings.HasPrefix(p.ImportPath, b+"/") {
						t.Errorf("%s: %s links %s", goos, binary, p.ImportPath)
					}
				}
			}
		}
	}
}

func hasAny(path string, list []string) bool {
	return slices.ContainsFunc(list, func(p string) bool { return strings.HasPrefix(path, p) })
}

func TestTheUpdaterSurvivesABrokenAgent(t *testing.T) {
	for _, p := range list(t, "linux", "-deps", "./updater") {
		if strings.HasPrefix(p.ImportPath, module+"agent") {
			t.Errorf("updater reaches %s", p.ImportPath)
		}
	}
}

func TestPureRoomsDoNoIO(t *testing.T) {
	for _, f := range goFiles(t, root(t)) {
		if f.test || !slices.Contains([]string{"agent/document", "regions/wire", "manifests"}, f.room) {
			continue
		}
		for _, imported := range f.imports() {
			if slices.Contains([]string{"os", "net", "net/http", "os/exec", "syscall", "io/ioutil", "time/tzdata"}, imported) {
				t.Errorf("%s imports %s", f.path, imported)
			}
		}
	}
}

// The names that say nothing about what lives there.
func TestRoomsAreNouns(t *testing.T) {
	for room := range rooms {
		for _, part := range strings.Split(room, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "base", "model", "types", "misc", "manager", "impl",
				"mocks"}, part) {
				t.Errorf("%s: %s is no name for a room", room, part)
			}
		}
	}
}

func TestNoInitAndShortDoors(t *testing.T) {
	for _, f := range goFiles(t, root(t)) {
		for _, d := range f.ast.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" {
				t.Errorf("%s has an init function", f.path)
			}
		}
		for _, i := range f.ast.Imports {
			if i.Name != nil && i.Name.Name == "_" {
				t.Errorf("%s imports %s for its effects", f.path, i.Path.Value)
			}
		}
		if strings.HasPrefix(f.room, "cmd/") && strings.HasSuffix(f.path, "/main.go") && f.lines > 40 {
			t.Errorf("%s has %d lines; a door has at most 40", f.path, f.lines)
		}
	}
}
