package manifests

import "strings"

// AgentPackage is the name of the agent's package in manifests; UpdaterPackage that of the original's updater.
const (
	AgentPackage   = "amazon-ssm-agent"
	UpdaterPackage = "amazon-ssm-agent-updater"
)

// PortableFile is the manifest file name of the archive that goes into the store and under --root:
// amazon-ssm-agent-portable-<os>-<arch>.tar.gz, with Go's names of systems and architectures; .zip for Windows.
func PortableFile(goos, goarch string) string {
	return ArchiveFile(AgentPackage+"-portable", goos, goarch)
}

// ArchiveFile is the name the original's updater asks for, for example amazon-ssm-agent-ubuntu-amd64.tar.gz
// (docs/protocol/update.md, "Platform names"): package, platform as in file names, architecture.
func ArchiveFile(pkg, platform, goarch string) string {
	extension := ".tar.gz"
	if strings.HasPrefix(platform, "windows") {
		extension = ".zip"
	}
	return pkg + "-" + platform + "-" + goarch + extension
}

// Folder is the bucket folder of a platform: linux_amd64, debian_arm64, windows_nano (docs/protocol/update.md, "Platform
// names", "Bucket layout").
func Folder(platform, goarch string) string {
	switch platform {
	case "windows-nano":
		return "windows_nano"
	case "ubuntu":
		platform = "debian"
	}
	return platform + "_" + goarch
}
