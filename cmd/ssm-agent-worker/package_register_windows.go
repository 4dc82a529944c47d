package main

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// activationKey holds an activation for the moments between the package's WriteRegistryValues and its registration; installer/pack
// names it, too.
const activationKey = `SOFTWARE\AmazonSSMAgentActivation`

var procRegCreateKeyEx = windows.NewLazySystemDLL("advapi32.dll").NewProc("RegCreateKeyExW")

// makeActivationKey makes the key for the system and administrators alone, from its first moment on: no other account ever holds a
// handle to it, whatever it was before.
func makeActivationKey() error {
	if err := dropActivationKey(); err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString("O:BAG:SYD:P(A;CI;KA;;;SY)(A;CI;KA;;;BA)")
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(activationKey)
	if err != nil {
		return err
	}
	access := windows.SecurityAttributes{SecurityDescriptor: sd}
	access.Length = uint32(unsafe.Sizeof(access))
	var key syscall.Handle
	const volatile = 1 // it is never written to disk
	code, _, _ := procRegCreateKeyEx.Call(uintptr(registry.LOCAL_MACHINE), uintptr(unsafe.Pointer(name)), 0, 0, volatile,
		registry.ALL_ACCESS, uintptr(unsafe.Pointer(&access)), uintptr(unsafe.Pointer(&key)), 0)
	if code != 0 {
		return syscall.Errno(code)
	}
	return registry.Key(key).Close()
}

func dropActivationKey() error {
	if err := registry.DeleteKey(registry.LOCAL_MACHINE, activationKey); !errors.Is(err, registry.ErrNotExist) {
		return err
	}
	return nil
}

// takeActivation reads the values and removes the key.
func takeActivation() (note activationNote, err error) {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, activationKey, registry.QUERY_VALUE)
	if err != nil {
		return note, errors.Join(errNoActivation, err)
	}
	for name, to := range map[string]*string{"Region": &note.region, "Id": &note.id, "Code": &note.code} {
		value, _, fault := key.GetStringValue(name)
		*to, err = value, errors.Join(err, fault)
	}
	return note, errors.Join(err, key.Close(), dropActivationKey())
}
