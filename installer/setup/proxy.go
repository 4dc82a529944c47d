package setup

import (
	"context"
	"errors"

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
	r.formerProxy = proxy.Remember(r.Layout)
	if err := proxy.Keep(r.Layout, *r.Proxy, systemd); err != nil {
		return err
	}
	r.changed = true
	r.Ports.Step("the service uses the proxy %s", r.Proxy.Redacted())
	return reloadUnits(r.ctx, systemd)
}

// restoreProxy brings the proxy back that was kept before; one that an interrupted run has written is none of these.
func (r *run) restoreProxy() {
	if r.formerProxy == nil {
		return
	}
	var err error
	if r.before.Proxy {
		err = r.formerProxy()
	} else {
		err = proxy.Forget(r.Layout)
	}
	ctx := context.WithoutCancel(r.ctx)
	if err = errors.Join(err, reloadUnits(ctx, underSystemd(r.Layout))); err != nil {
		r.Ports.Step("the proxy that was written down for the service cannot be taken back: %v", err)
	}
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
