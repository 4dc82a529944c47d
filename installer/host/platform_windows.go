package host

import (
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// workstation is the product type of a system that is no server.
const workstation = 1

// platform reads the registry and the kernel: the same words as WMI's Caption and Version, without a shell.
func platform() (name, version string, err error) {
	v := windows.RtlGetVersion()
	version = fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Windows NT\CurrentVersion`, registry.QUERY_VALUE)
	if err != nil {
		return "", "", err
	}
	defer key.Close()
	if name, _, err = key.GetStringValue("ProductName"); err != nil {
		return "", "", err
	}
	if v.BuildNumber >= 22000 && v.ProductType == workstation { // the registry never learned of 11
		name = strings.Replace(name, "Windows 10", "Windows 11", 1)
	}
	return "Microsoft " + strings.TrimPrefix(name, "Microsoft "), version, nil
}
