package launcher

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// event is this system's SIGTERM: a manual-reset event that a process of an installation makes under its own name and id, and
// that administrators, the system and the process's own account may set.
type event windows.Handle

const (
	agentRole    = "agent"
	launcherRole = "launcher"
)

// eventName is Global\ssm-setup-<first 16 bytes of the SHA-256 of the data folder's path in lower case, hex>-<role>-<pid>.
func eventName(p pointer.Paths, role string, pid int) (*uint16, error) {
	sum := sha256.Sum256([]byte(strings.ToLower(p.Data())))
	return windows.UTF16PtrFromString(`Global\ssm-setup-` + hex.EncodeToString(sum[:16]) + "-" + role + "-" + strconv.Itoa(pid))
}

// newEvent makes the event of this process. One that another program made before under that name is an error, not used.
func newEvent(p pointer.Paths, role string, pid int) (event, error) {
	name, err := eventName(p, role, pid)
	if err != nil {
		return 0, err
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return 0, err
	}
	sd, err := windows.SecurityDescriptorFromString("D:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;" + user.User.Sid.String() + ")")
	if err != nil {
		return 0, err
	}
	attributes := &windows.SecurityAttributes{SecurityDescriptor: sd}
	attributes.Length = uint32(unsafe.Sizeof(*attributes))
	handle, err := windows.CreateEvent(attributes, 1, 0, name)
	if err != nil {
		if handle != 0 {
			windows.CloseHandle(handle)
		}
		return 0, err
	}
	return event(handle), nil
}

// wait returns when the event is set.
func (e event) wait() { _, _ = windows.WaitForSingleObject(windows.Handle(e), windows.INFINITE) }

// set sets another process's event.
func set(p pointer.Paths, role string, pid int) error {
	name, err := eventName(p, role, pid)
	if err != nil {
		return err
	}
	handle, err := windows.OpenEvent(windows.EVENT_MODIFY_STATE, false, name)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(handle)
	return windows.SetEvent(handle)
}
