package setup

import (
	"context"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/installer/service"
)

// keepProxy writes down which proxy the service is to use.
func (r *run) keepProxy() error {
	if r.Proxy == nil {
		return nil
	}
	systemd := underSystemd(r.Layout)
	if err := proxy.Keep(r.Layout, *r.Proxy, systemd); err != nil {
		return err
	}
	r.changed = true
	r.Ports.Step("the service uses the proxy %s", r.Proxy.Redacted())
	return reloadUnits(r.ctx, systemd)
}

func reloadUnits(ctx context.Context, systemd bool) error {
	if !systemd {
		return nil
	}
	return runPackager(ctx, "systemctl", "daemon-reload")
}

// underSystemd tells whether systemd runs the service.
func underSystemd(l installer.Layout) bool {
	s := service.Of(l)
	if service.Detached(s) {
		return false
	}
	status, err := s.Status()
	return err == nil && status.Kind == "linux-systemd"
}

// ProxyOfShell is a proxy that this process has and the service will not: it runs under a service manager, and none is kept for it. A
// launcher without one is started with this process's own.
func (i Installation) ProxyOfShell() (proxy.Address, bool) {
	if service.Detached(service.Of(i.Layout)) {
		return proxy.Address{}, false
	}
	if _, known := proxy.Of(i.Layout); known {
		return proxy.Address{}, false
	}
	return proxy.OfEnvironment()
}
