package launcher

import (
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// unready waits until Windows has set itself up: before, it may be an image whose copies must not all be the same node
// (docs/protocol/identity.md, "Service definitions"). Where EC2Config sees to the set-up it starts this service again
// afterwards, so the service ends. A Windows that says nothing about it is ready. True means that the service is to stop.
func (l *loop) unready() bool {
	if l.Paths.Root != "" {
		return false
	}
	last := ""
	for {
		state := imageState()
		switch {
		case state == "" || state == "IMAGE_STATE_COMPLETE":
			return false
		case ec2ConfigServes():
			l.say("Windows is being set up (", state, ") by EC2Config, which starts this service afterwards; stopped")
			return true
		case state != last:
			l.say("Windows is being set up (", state, "); waiting for its end")
			last = state
		}
		if l.pause(l.Timing.Tick, nil) {
			l.say("stopped")
			return true
		}
	}
}

// imageState is how far the set-up of Windows has come; empty: nothing is known.
func imageState() string {
	const path = `SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State`
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return ""
	}
	defer key.Close()
	state, _, _ := key.GetStringValue("ImageState")
	return state
}

// ec2ConfigServes reports whether the service EC2Config starts with Windows, or was started by hand.
func ec2ConfigServes() bool {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\EC2Config`, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer key.Close()
	start, _, err := key.GetIntegerValue("Start")
	return err == nil && (start == windows.SERVICE_AUTO_START || start == windows.SERVICE_DEMAND_START && serviceRuns("EC2Config"))
}

// serviceRuns asks the service manager.
func serviceRuns(name string) bool {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return false
	}
	defer windows.CloseServiceHandle(manager)
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return false
	}
	service, err := windows.OpenService(manager, text, windows.SERVICE_QUERY_STATUS)
	if err != nil {
		return false
	}
	defer windows.CloseServiceHandle(service)
	var status windows.SERVICE_STATUS
	return windows.QueryServiceStatus(service, &status) == nil && status.CurrentState == windows.SERVICE_RUNNING
}
