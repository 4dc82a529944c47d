package service

import (
	"context"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// boot asks the service control manager, with no more rights than any account has.
func boot(context.Context) string {
	scm, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return ""
	}
	manager := &mgr.Mgr{Handle: scm}
	defer func() { _ = manager.Disconnect() }()
	name, err := windows.UTF16PtrFromString(Name())
	if err != nil {
		return ""
	}
	handle, err := windows.OpenService(scm, name, windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		return ""
	}
	s := &mgr.Service{Name: Name(), Handle: handle}
	defer s.Close()
	config, err := s.Config()
	switch {
	case err != nil:
		return ""
	case config.StartType == mgr.StartAutomatic:
		return Enabled
	case config.StartType == mgr.StartDisabled:
		return Masked
	}
	return Disabled
}
