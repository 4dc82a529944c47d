package main

import (
	"errors"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// An original's installer stays in Windows's list of programs when ours goes over it: nothing is removed, so that the machine
// is never without an agent, and Windows has no way to forget a product without running its removal. That removal would take
// the service and our programs along, so the entry is hidden as long as ours is there.
const (
	uninstallKey = `SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
	listedAs     = "Amazon SSM Agent"
	ourselves    = "ssm-setup authors"
	hides        = "SystemComponent" // what Windows does not list
	hiddenByUs   = "HiddenBySsmSetup"
)

func hideOthers() error {
	return others(func(key registry.Key) error {
		name, _, _ := key.GetStringValue("DisplayName")
		maker, _, _ := key.GetStringValue("Publisher")
		if hidden, _, _ := key.GetIntegerValue(hides); name != listedAs || maker == ourselves || hidden != 0 {
			return nil
		}
		return errors.Join(key.SetDWordValue(hiddenByUs, 1), key.SetDWordValue(hides, 1))
	})
}

// showOthers brings back what hideOthers hid.
func showOthers() error {
	return others(func(key registry.Key) error {
		if _, _, err := key.GetIntegerValue(hiddenByUs); err != nil {
			return nil
		}
		return errors.Join(key.DeleteValue(hides), key.DeleteValue(hiddenByUs))
	})
}

// replaced tells whether the service belongs to another package than the one of a product code: what is removed is then only an
// entry, at the end of an upgrade. Windows Installer says so itself; this is the second lock.
func replaced(product string) bool {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, serviceKey, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer key.Close()
	owner, _, err := key.GetStringValue("ProductCode")
	return err == nil && !strings.EqualFold(owner, product)
}

// others looks at all programs listed, those for 32 bits too.
func others(look func(registry.Key) error) error {
	var errs []error
	for _, view := range []uint32{registry.WOW64_64KEY, registry.WOW64_32KEY} {
		list, err := registry.OpenKey(registry.LOCAL_MACHINE, uninstallKey, registry.ENUMERATE_SUB_KEYS|view)
		if err != nil {
			continue // no such list
		}
		names, err := list.ReadSubKeyNames(-1)
		list.Close()
		errs = append(errs, err)
		for _, name := range names {
			key, err := registry.OpenKey(registry.LOCAL_MACHINE, uninstallKey+`\`+name, registry.QUERY_VALUE|registry.SET_VALUE|view)
			if err != nil {
				continue // another program's entry
			}
			errs = append(errs, look(key))
			key.Close()
		}
	}
	return errors.Join(errs...)
}
