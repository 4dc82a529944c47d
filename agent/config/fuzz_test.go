package config_test

import (
	"bytes"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/config"
)

// What can be read and edited is read again with the setting, and the same edit changes nothing more.
func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"Profile":{"ShareCreds":true,"KeyAutoRotateDays":400},"Mds":{"CommandWorkersLimit":5,"StopTimeoutMillis":20000},` +
		`"Ssm":{"Endpoint":"","HealthFrequencyMinutes":4,"SessionLogsDestination":"x"},"Mgs":{"DeniedPortForwardingRemoteIPs":["10.0.0.1"]},` +
		`"Agent":{"Region":"eu-west-1","UpdateWatchSeconds":0},"Identity":{"ConsumptionOrder":["OnPrem","x"]},"Unknown":[{"a":1e3}]}`))
	f.Add([]byte("\xEF\xBB\xBF" + `{"agent":{"UPDATESOURCE":"a","region":null},"Agent":{"Region":"b"}}`))
	f.Add([]byte("{"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := config.Parse(text); err != nil {
			return
		}
		settings := map[string]any{"Os.Lang": "de-DE"}
		edited, err := config.Edit(text, settings)
		if err != nil {
			return // null, or a section that is none: nothing can be added
		}
		after, err := config.Parse(edited)
		if err != nil || after.Os.Lang != "de-DE" {
			t.Fatalf("%q became %q: %v", text, edited, err)
		}
		if again, err := config.Edit(edited, settings); err != nil || !bytes.Equal(again, edited) {
			t.Errorf("%q became %q: %v", edited, again, err)
		}
	})
}
