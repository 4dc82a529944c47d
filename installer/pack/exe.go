package pack

import (
	"io"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/setupexe"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Carrier is the program that becomes AmazonSSMAgentSetup.exe.
const Carrier = "amazon-ssm-agent-setup"

// setupEXE is the original's name for the Windows installer: a program that carries the msi (docs/protocol/update.md,
// "Windows packages", "Bucket layout").
var setupEXE = Format{
	Name: "exe", Package: manifests.AgentPackage, Programs: []string{Launcher, Worker, Carrier},
	File: func(p Platform) string {
		if p.OS != "windows" || p.Arch == "arm64" {
			return ""
		}
		return "AmazonSSMAgentSetup-" + p.OS + "-" + p.Arch + ".exe"
	},
	Loose: func(p Platform) []string {
		return []string{manifests.Folder(p.OS, p.Arch) + "/AmazonSSMAgentSetup.exe"}
	},
	Fits:    fitsInstaller,
	Signed:  Signed{Installers: Authenticode, Content: sign.Program, finish: Signing.authenticode},
	Manager: windowsInstaller([]string{"windows"}, []string{"{}", "ALLOWEC2INSTALL=YES", "SKIPSYMLINKSCAN=YES", "/quiet", "/norestart"}),
	write:   writeSetupEXE,
}

func writeSetupEXE(w io.Writer, in Input) error {
	program, err := os.ReadFile(filepath.Join(in.Bin, in.Platform.Executable(Carrier)))
	if err != nil {
		return err
	}
	inner, err := in.Embedded(installer)
	if err != nil {
		return err
	}
	pkg, err := os.ReadFile(inner)
	if err != nil {
		return err
	}
	return setupexe.Write(w, program, pkg)
}
