package host

import (
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// bootKey is a key that lives in memory only: the first who asks after a boot makes it, and its time tells the boots apart,
// whatever is done to the clock.
const bootKey = `SOFTWARE\Amazon\SSM boot`

// BootID is a text that changes with every boot of this system. A start from hibernation, which a fast start is too, is none.
func BootID() (string, error) {
	key, err := volatileKey(bootKey)
	if err != nil { // no rights: the boot's time to ten seconds is the best that is left
		since := windows.DurationSinceBoot()
		return strconv.FormatInt(time.Now().Add(-since).Unix()/10, 10), nil
	}
	defer key.Close()
	info, err := key.Stat()
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(info.ModTime().UnixNano(), 10), nil
}

// volatileKey opens or makes a key that a restart removes.
func volatileKey(path string) (registry.Key, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	const volatile = 1
	var key registry.Key
	create := windows.NewLazySystemDLL("advapi32.dll").NewProc("RegCreateKeyExW")
	code, _, _ := create.Call(uintptr(registry.LOCAL_MACHINE), uintptr(unsafe.Pointer(name)), 0, 0, volatile,
		registry.QUERY_VALUE, 0, uintptr(unsafe.Pointer(&key)), 0)
	if code != 0 {
		return 0, syscall.Errno(code)
	}
	return key, nil
}
