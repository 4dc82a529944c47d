package identity

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const hardwareID = "uuid"

// readHardwareID: on Windows a program tells it.
func readHardwareID() (string, bool) { return "", false }

func sources(ctx context.Context) []source {
	if withoutWMIC(ctx) {
		return []source{
			cim(hardwareID, "Win32_ComputerSystemProduct", "UUID"),
			cim("processor-hash", "WIN32_PROCESSOR", "Caption, DeviceID, Manufacturer, MaxClockSpeed, Name, SocketDesignation"),
			cim("memory-hash", "Win32_PhysicalMemory", "Capacity, DeviceLocator, MemoryType, Name, Tag, TotalWidth"),
			cim("bios-hash", "Win32_BIOS", "Manufacturer, Name, SerialNumber, SMBIOSBIOSVersion, Version"),
			cim("system-hash", "Win32_ComputerSystem", "Domain, Manufacturer, Model, Name, PrimaryOwnerName, TotalPhysicalMemory"),
			cim("disk-info", "Win32_DiskDrive", "Caption, DeviceID, Model, Partitions, Size"),
		}
	}
	return []source{
		wmic(hardwareID, "csproduct", "get", "UUID"),
		wmic("processor-hash", "cpu", "list", "brief"),
		wmic("memory-hash", "memorychip", "list", "brief"),
		wmic("bios-hash", "bios", "list", "brief"),
		wmic("system-hash", "computersystem", "list", "brief"),
		wmic("disk-info", "diskdrive", "list", "brief"),
	}
}

func wmic(key string, args ...string) source {
	program := filepath.Join(os.Getenv("WINDIR"), "System32", "wbem", "wmic.exe")
	return source{key, append([]string{program}, args...)}
}

func cim(key, class, properties string) source {
	return source{key, powerShell("Get-CimInstance -ClassName " + class + " | Select-Object " + properties + " | ConvertTo-Json")}
}

func powerShell(script string) []string {
	program := filepath.Join(os.Getenv("SystemRoot"), "System32", "WindowsPowerShell", "v1.0", "powershell.exe")
	return []string{program, "-NoProfile", "-NonInteractive", "-Command", script}
}

// withoutWMIC asks the system for its version: from 10.0.26040 the values come from PowerShell. Anything unclear means wmic.
func withoutWMIC(ctx context.Context) bool {
	command := powerShell("Get-CimInstance -ClassName Win32_OperatingSystem | Format-List -Property Version")
	out, err := exec.CommandContext(ctx, command[0], command[1:]...).Output() //nolint:gosec // fixed text
	if err != nil {
		return false
	}
	_, text, ok := strings.Cut(string(out), ":")
	parts := strings.Split(strings.TrimSpace(text), ".")
	if !ok || len(parts) < 3 {
		return false
	}
	for i, want := range [3]int{10, 0, 26040} {
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < want {
			return false
		}
		if n > want {
			return true
		}
	}
	return true
}
