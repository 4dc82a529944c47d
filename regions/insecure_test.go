package regions_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions"
)

func TestPlainHTTPToAnotherMachineIsRefusedUnlessAllowed(t *testing.T) {
	for address, insecure := range map[string]bool{
		"http://mirror.example:8000":         true,
		"HTTP://mirror.example":              true,
		" http://mirror.example":             true,
		"http://user:secret@10.0.0.1/bucket": true,
		"http://localhost.example":           true,
		"http://127.0.0.1.example":           true,
		"http://[2001:db8::1]:80":            true,
		"http://127.0.0.1:7700":              false,
		"http://127.8.9.1":                   false,
		"http://[::1]:7700":                  false,
		"http://localhost:7700":              false,
		"https://mirror.example":             false,
		"mirror.example":                     false, // completed with https
		"/media/stick":                       false,
		"file:///media/stick":                false,
		"":                                   false,
	} {
		err := regions.CheckNew(address, false)
		if insecure != errors.Is(err, regions.ErrInsecure) || !insecure && err != nil || insecure != regions.Insecure(address) {
			t.Errorf("%q: %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("a password is told: %v", err)
		}
		if err := regions.CheckNew(address, true); err != nil {
			t.Errorf("%q, allowed: %v", address, err)
		}
	}
}
