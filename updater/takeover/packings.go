package takeover

import (
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// packing is one way in which an agent is packed, and how it is put in the place of another. {} in a command is the package's path. Where
// there is no command, the scripts of the archive do it (docs/protocol/update.md, "Script behaviour and exit codes").
type packing struct {
	name     string
	payload  string   // file in the archive; empty: the scripts know
	query    []string // prints the installed version; another exit code than 0: not installed
	whole    string   // what it prints besides, of a whole package
	try      []string // does all but the change; nil: there is no such way
	put      []string // one transaction, of a newer version as of an older one
	script   string   // puts it in
	unsynced bool     // what puts it in leaves the files' content to the system, which writes it when it likes
	unput    string   // removes it, where an older version does not replace a newer one; empty: it does
}

// packings is the table, by the words of the record.
func packings() []packing {
	const name = agentPackage
	return []packing{
		{name: "deb", payload: name + ".deb", query: []string{"dpkg-query", "-W", "-f=${Status} ${Version}\\n", name},
			whole: "install ok installed",
			try:   []string{"dpkg", "--dry-run", "--force-confdef", "--force-confold", "-i", "{}"},
			put:   []string{"dpkg", "--force-confdef", "--force-confold", "-i", "{}"}},
		{name: "rpm", payload: name + ".rpm", query: []string{"rpm", "-q", "--qf", "%{VERSION}\\n", name},
			try: []string{"rpm", "-U", "--test", "--oldpackage", "--replacepkgs", "{}"},
			put: []string{"rpm", "-U", "--oldpackage", "--replacepkgs", "{}"}, unsynced: true},
		{name: "snap", query: []string{"snap", "list", name}, script: "snap-install.sh"},
		{name: "tar", query: []string{"/opt/aws/ssm/bin/" + name, "--version"}, script: "install.sh", unsynced: true},
		{name: "windows", query: []string{"reg", "query", `HKLM\SYSTEM\CurrentControlSet\Services\AmazonSSMAgent`, "/v", "Version"},
			script: "install.ps1", unput: "uninstall.ps1"},
	}
}

func packingNamed(name string) packing {
	for _, p := range packings() {
		if p.name == name {
			return p
		}
	}
	return packing{}
}

// packingHere is the word for this system. A snap is one only on Ubuntu (docs/protocol/update.md, "Platform names").
func packingHere(p platform, snap bool) string {
	switch {
	case snap && p.name == "ubuntu":
		return "snap"
	case p.file == "ubuntu":
		return "deb"
	case p.file == "darwin":
		return "tar"
	case strings.HasPrefix(p.file, "windows"):
		return "windows"
	}
	return "rpm"
}

var fourParts = regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`)

// versionIn is the version in what a program prints.
func versionIn(text string) string {
	v, err := manifests.ParseVersion(fourParts.FindString(text))
	if err != nil {
		return ""
	}
	return v.String()
}

// filled is a command with a package's path.
func filled(command []string, path string) []string {
	out := make([]string, len(command))
	for i, word := range command {
		out[i] = strings.ReplaceAll(word, "{}", path)
	}
	return out
}

// scripted is the command that runs a script of an archive.
func scripted(path string) []string {
	if strings.HasSuffix(path, ".ps1") {
		return []string{os.Getenv("SystemRoot") + `\System32\WindowsPowerShell\v1.0\powershell.exe`, "-ExecutionPolicy", "unrestricted",
			"-File", path}
	}
	return []string{path}
}

// has tells whether a program is there.
func has(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}
