package systems

// System is one row: a kind of system, by what it calls itself.
type System struct {
	Name     string // for people
	OS       string // linux, windows, darwin
	ID       string // of /etc/os-release; empty outside of Linux
	From     string // lowest version, up to three numbers; empty: any
	Shown    string // what people call the supported versions
	Packages string // for people
	Retired  string // pattern of a shell: versions that look newer than they are
	Refused  string // why it is not supported at all
	NoEdDSA  string // versions whose rpm (before 4.15) or gpgv (before 2.1) knows no Ed25519; empty: none
}

// Kernel is the lowest Linux kernel: that of static programs of the toolchain (docs/protocol/update.md, "rpm package").
const Kernel = "3.2"

// Table are the systems. Newer versions than those shown are taken.
func Table() []System {
	return []System{
		{Name: "Amazon Linux", OS: "linux", ID: "amzn", From: "2", Shown: "2, 2023", Packages: "rpm", Retired: "201[0-9].*", NoEdDSA: "2"},
		{Name: "Red Hat Enterprise Linux", OS: "linux", ID: "rhel", From: "7", Shown: "7 to 9", Packages: "rpm", NoEdDSA: "7, 8"},
		{Name: "CentOS", OS: "linux", ID: "centos", From: "7", Shown: "7 to 9", Packages: "rpm", NoEdDSA: "7, 8"},
		{Name: "Rocky Linux", OS: "linux", ID: "rocky", From: "7", Shown: "8, 9", Packages: "rpm", NoEdDSA: "8"},
		{Name: "AlmaLinux", OS: "linux", ID: "almalinux", From: "7", Shown: "8, 9", Packages: "rpm", NoEdDSA: "8"},
		{Name: "Oracle Linux", OS: "linux", ID: "ol", From: "7", Shown: "7 to 9", Packages: "rpm", NoEdDSA: "7, 8"},
		{Name: "SUSE Linux Enterprise Server", OS: "linux", ID: "sles", From: "12", Shown: "12, 15", Packages: "rpm", NoEdDSA: "12, 15"},
		{Name: "Ubuntu", OS: "linux", ID: "ubuntu", From: "16.04", Shown: "16.04 and up", Packages: "deb", NoEdDSA: "16.04"},
		{Name: "Debian", OS: "linux", ID: "debian", From: "9", Shown: "9 and up", Packages: "deb"},
		{Name: "Raspbian", OS: "linux", ID: "raspbian", From: "9", Shown: "9 and up", Packages: "deb"},
		{Name: "Flatcar", OS: "linux", ID: "flatcar", Shown: "any", Packages: "portable archive"},
		{Name: "Bottlerocket", OS: "linux", ID: "bottlerocket",
			Refused: "its system is read-only and has no package manager; it brings an agent in its control container"},
		{Name: "Windows Server", OS: "windows", From: "10.0.14393", Shown: "2016 and up", Packages: "msi, exe, portable archive"},
		{Name: "macOS", OS: "darwin", From: "12", Shown: "12 and up", Packages: "pkg, portable archive"},
	}
}

// WithoutEd25519 are the supported systems that cannot check signatures by Ed25519 keys, for people.
func WithoutEd25519() (list []string) {
	for _, s := range Table() {
		if s.NoEdDSA != "" {
			list = append(list, s.Name+" "+s.NoEdDSA)
		}
	}
	return list
}
