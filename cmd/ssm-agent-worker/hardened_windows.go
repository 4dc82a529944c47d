package main

import "golang.org/x/sys/windows/registry"

// hardened tells whether an agent has looked after the data folder on this machine before.
func hardened() bool {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, serviceKey, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer key.Close()
	_, _, err = key.GetIntegerValue("SSMDataHardened")
	return err == nil
}
