package takeover

import "strings"

// platform is a system by the names that the original has for it (docs/protocol/update.md, "Platform names").
type platform struct {
	contains string // in the system's name, lower case
	name     string // the original's own word
	file     string // in names of archives
	folder   string // prefix of a bucket's folder
}

// platforms are tried in this order.
func platforms() []platform {
	return []platform{
		{"amazon", "linux", "linux", "linux"},
		{"bottlerocket", "linux", "linux", "linux"},
		{"red hat", "red hat", "linux", "linux"},
		{"oracle", "oracle", "linux", "linux"},
		{"ubuntu", "ubuntu", "ubuntu", "debian"},
		{"centos", "centos", "linux", "linux"},
		{"rocky", "rocky", "linux", "linux"},
		{"almalinux", "almalinux", "linux", "linux"},
		{"flatcar", "flatcar", "linux", "linux"},
		{"sles", "sles", "linux", "linux"},
		{"raspbian", "raspbian", "ubuntu", "debian"},
		{"debian", "debian", "ubuntu", "debian"},
		{"mac os x", "mac os x", "darwin", "darwin"},
		{"macos", "mac os x", "darwin", "darwin"},
	}
}

// platformOf finds a system by its name. A Linux that the original does not know goes by its package manager; nano is Windows without an
// installer.
func platformOf(goos, name string, dpkg, nano bool) platform {
	switch {
	case goos == "windows" && nano:
		return platform{"", "windows-nano", "windows-nano", "windows_nano"}
	case goos == "windows":
		return platform{"", "windows", "windows", "windows"}
	case goos == "darwin":
		return platform{"", "mac os x", "darwin", "darwin"}
	}
	for _, p := range platforms() {
		if p.file != "darwin" && strings.Contains(strings.ToLower(name), p.contains) {
			return p
		}
	}
	if dpkg {
		return platform{"", "debian", "ubuntu", "debian"}
	}
	return platform{"", "linux", "linux", "linux"}
}

// lowest is the lowest version that a platform takes; empty: any.
func (p platform) lowest() string {
	if p.name == "centos" {
		return "1.0.187.0"
	}
	return ""
}
