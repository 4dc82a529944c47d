package pack

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Faults of a binary that shall be packed.
var (
	ErrNoBinary = fault.New(fault.Usage, "the binary is missing",
		"the folder must hold amazon-ssm-agent and ssm-agent-worker, or a folder such as linux_amd64 with them")
	ErrPlatform = fault.New(fault.Verify, "the binary is for another platform",
		"name the platform the binaries were built for with --platform")
	ErrVersion = fault.New(fault.Verify, "the binary states another version",
		"link binaries with -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=<version>")
)

// Check looks at the programs a list of formats needs: each must be there, be built for the platform and carry the version's
// stamp. Nothing is run.
func Check(in Input, programs []string) error {
	for _, name := range programs {
		path := filepath.Join(in.Bin, in.Platform.Executable(name))
		p, err := PlatformOf(path)
		if err != nil {
			return err
		}
		if p != in.Platform {
			return fmt.Errorf("%w: %s is for %s, not for %s", ErrPlatform, path, p, in.Platform)
		}
		v, err := VersionOf(path)
		if err != nil {
			return err
		}
		if v != in.Version {
			return fmt.Errorf("%w: %s says %s, not %s", ErrVersion, path, v, in.Version)
		}
		if err := checkSignature(path, p); err != nil {
			return err
		}
	}
	return nil
}

// VersionOf reads the stamp of a program's file.
func VersionOf(path string) (manifests.Version, error) {
	f, err := os.Open(path)
	if err != nil {
		return manifests.Version{}, missing(err, path)
	}
	defer f.Close()
	text, err := stamp.Find(f)
	if err != nil {
		return manifests.Version{}, fmt.Errorf("%w: %s: %w", ErrVersion, path, err)
	}
	return manifests.ParseVersion(text)
}

// PlatformOf reads system and architecture from the header of a program's file. ELF is taken for Linux.
func PlatformOf(path string) (Platform, error) {
	if _, err := os.Stat(path); err != nil {
		return Platform{}, missing(err, path)
	}
	if f, err := elf.Open(path); err == nil {
		defer func() { _ = f.Close() }()
		return Platform{"linux", elfArch[f.Machine]}, nil
	}
	if f, err := pe.Open(path); err == nil {
		defer func() { _ = f.Close() }()
		return Platform{"windows", peArch[f.Machine]}, nil
	}
	if f, err := macho.Open(path); err == nil {
		defer func() { _ = f.Close() }()
		return Platform{"darwin", machoArch[f.Cpu]}, nil
	}
	if IsUniversal(path) {
		return Universal, nil
	}
	return Platform{}, fmt.Errorf("%w: %s is no program of a known kind", ErrPlatform, path)
}

func missing(err error, path string) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrNoBinary, path)
	}
	return err
}

var (
	elfArch = map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm"}
	peArch  = map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64",
		pe.IMAGE_FILE_MACHINE_I386: "386"}
	machoArch = map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}
)
