package setup

import (
	"encoding/json"

	"github.com/ssm-setup/ssm-setup/regions"
)

// checkEndpoint refuses a new address that is plain http to another machine, unless that is allowed: it would be written down as the
// source of all later updates. One that this host already has goes on working, and is warned of.
func (r *run) checkEndpoint() error {
	if _, folder := mirrorFolder(r.Endpoint); folder || !regions.Insecure(r.Endpoint) {
		return nil
	}
	if err := regions.CheckNew(r.Endpoint, r.AllowInsecure || r.has(r.Endpoint)); err != nil {
		return err
	}
	r.Ports.Step("warning: %s is plain http to another machine: what answers there is not known", r.Endpoint)
	return nil
}

// has tells whether the host's settings name an address already.
func (r *run) has(endpoint string) bool {
	before, err := readBefore(r.Layout)
	var set struct {
		Agent   struct{ UpdateSource string }
		Ssm, S3 struct{ Endpoint string }
	}
	if err != nil || json.Unmarshal(before.Config, &set) != nil {
		return false
	}
	source, err := regions.ManifestURL(r.Region, endpoint, "")
	return err == nil && set.Agent.UpdateSource == source || set.S3.Endpoint == regions.WithScheme(endpoint) &&
		set.Ssm.Endpoint == regions.WithScheme(endpoint)
}
