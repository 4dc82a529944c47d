package pointer

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

const suffix = ".exe"

// Bin is the folder of programs.
func (p Paths) Bin() string {
	if p.Root == "" {
		return filepath.Join(programFiles(), `Amazon\SSM`)
	}
	return p.under("bin")
}

// Data is the folder of everything the agent keeps.
func (p Paths) Data() string {
	if p.Root == "" {
		return filepath.Join(programData(), `Amazon\SSM\InstanceData`)
	}
	return p.under("data")
}

// StoreDir is the folder of versions that updates added; beside the programs, where only administrators write.
func (p Paths) StoreDir() string {
	if p.Root == "" {
		return filepath.Join(programFiles(), `Amazon\SSM\store`)
	}
	return p.under("store")
}

func programFiles() string {
	if dir := os.Getenv("ProgramFiles"); dir != "" {
		return dir
	}
	return `C:\Program Files`
}

// programData is what the system says, for a service's environment may say otherwise; without an answer it follows
// docs/protocol/identity.md, "Roots and files": %AllUsersProfile%\Application Data where ProgramData is not set.
func programData() string {
	if dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT); err == nil && dir != "" {
		return dir
	}
	if dir := os.Getenv("ProgramData"); dir != "" {
		return dir
	}
	if dir := os.Getenv("AllUsersProfile"); dir != "" {
		return filepath.Join(dir, "Application Data")
	}
	return `C:\ProgramData`
}

// Logs is the folder of logs.
func (p Paths) Logs() string { return filepath.Join(filepath.Dir(p.Data()), "Logs") }

func (p Paths) credentialsDir() string {
	if p.Root == "" {
		return p.Bin()
	}
	return filepath.Join(p.Root, "config")
}

// SamePath compares two clean paths as this system does: a service or a person may have written them in any case.
func SamePath(a, b string) bool { return strings.EqualFold(a, b) }
