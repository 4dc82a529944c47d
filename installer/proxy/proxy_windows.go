package proxy

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// key is where the address of the system's service lies: the environment of a service can be read by all accounts.
const key = `SOFTWARE\ssm-setup\Proxy`

func kept(l installer.Layout) map[string]string {
	if !l.System() {
		text, err := os.ReadFile(File(l))
		if err != nil || host.CheckFile(File(l)) != nil {
			return nil
		}
		return parseEnvironment(text)
	}
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.QUERY_VALUE)
	if err != nil {
		return nil
	}
	defer k.Close()
	out := map[string]string{}
	for _, name := range names() {
		if value, _, err := k.GetStringValue(name); err == nil {
			out[name] = value
		}
	}
	return out
}

func keep(l installer.Layout, a Address, _ bool) error { return write(l, a.variables()) }

func remember(l installer.Layout) (restore func() error) {
	former := kept(l)
	return func() error {
		if len(former) == 0 {
			return forget(l)
		}
		return write(l, former)
	}
}

func write(l installer.Layout, variables map[string]string) error {
	if !l.System() {
		if err := os.MkdirAll(l.ConfigDir(), 0o755); err != nil {
			return err
		}
		if err := host.WriteFile(File(l), environmentText(variables), 0o600); err != nil {
			return err
		}
		return host.Private(File(l))
	}
	k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, key, registry.SET_VALUE|windows.WRITE_DAC)
	if err != nil {
		return err
	}
	defer k.Close()
	sd, err := windows.SecurityDescriptorFromString("D:P(A;OICI;KA;;;BA)(A;OICI;KA;;;SY)")
	if err != nil {
		return err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return err
	}
	if err := windows.SetSecurityInfo(windows.Handle(k), windows.SE_REGISTRY_KEY,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil); err != nil {
		return err // before a password is written
	}
	for name, value := range variables {
		if err := k.SetStringValue(name, value); err != nil {
			return err
		}
	}
	return nil
}

func forget(l installer.Layout) error {
	var err error
	if l.System() {
		err = registry.DeleteKey(registry.LOCAL_MACHINE, key)
	} else {
		err = os.Remove(File(l))
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	return err
}
