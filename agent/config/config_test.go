package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/config"
)

func parse(t *testing.T, text string) config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return c
}

func TestAnEmptyObjectIsTheDefault(t *testing.T) {
	for _, text := range []string{"{}", "\xEF\xBB\xBF{}", `{"Mds":null,"Unknown":{"Key":1}}`, `{"Agent":{"Version":"","Name":""}}`} {
		if c := parse(t, text); !reflect.DeepEqual(c, config.Default()) {
			t.Errorf("%s: %+v", text, c)
		}
	}
	c, err := config.Load(filepath.Join(t.TempDir(), "none.json"))
	if err != nil || !reflect.DeepEqual(c, config.Default()) {
		t.Errorf("no file: %v, %+v", err, c)
	}
}

func TestKeysMatchWithoutRegardToCase(t *testing.T) {
	c := parse(t, `{"ssm":{"ENDPOINT":"http://h:1"},"AGENT":{"updatesource":"u","UpdateWatchSeconds":3},"os":{"lang":"de"}}`)
	if c.Ssm.Endpoint != "http://h:1" || c.Agent.UpdateSource != "u" || c.Agent.UpdateWatchSeconds != 3 || c.Os.Lang != "de" {
		t.Errorf("%+v", c)
	}
	if c.Ssm.HealthFrequencyMinutes != 5 || c.Os.Version != "1" {
		t.Error("keys that are not named lost their defaults")
	}
}

func TestAValueOutOfBoundsIsTheDefault(t *testing.T) {
	d := config.Default()
	rows := []struct {
		text string
		get  func(config.Config) any
		want any
	}{
		{`{"Profile":{"KeyAutoRotateDays":366}}`, func(c config.Config) any { return c.Profile.KeyAutoRotateDays }, 0},
		{`{"Profile":{"KeyAutoRotateDays":365}}`, func(c config.Config) any { return c.Profile.KeyAutoRotateDays }, 365},
		{`{"Ssm":{"HealthFrequencyMinutes":4}}`, func(c config.Config) any { return c.Ssm.HealthFrequencyMinutes }, 5},
		{`{"Ssm":{"HealthFrequencyMinutes":61}}`, func(c config.Config) any { return c.Ssm.HealthFrequencyMinutes }, 5},
		{`{"Ssm":{"HealthFrequencyMinutes":60}}`, func(c config.Config) any { return c.Ssm.HealthFrequencyMinutes }, 60},
		{`{"Mds":{"StopTimeoutMillis":9999}}`, func(c config.Config) any { return c.Mds.StopTimeoutMillis }, int64(20000)},
		{`{"Mds":{"CommandWorkersLimit":0}}`, func(c config.Config) any { return c.Mds.CommandWorkersLimit }, 5},
		{`{"Mds":{"CommandRetryLimit":101}}`, func(c config.Config) any { return c.Mds.CommandRetryLimit }, 15},
		{`{"Agent":{"LongRunningWorkerMonitorIntervalSeconds":29}}`,
			func(c config.Config) any { return c.Agent.LongRunningWorkerMonitorIntervalSeconds }, 60},
		{`{"Agent":{"AuditExpirationDay":31}}`, func(c config.Config) any { return c.Agent.AuditExpirationDay }, 7},
		{`{"Agent":{"SelfUpdateScheduleDay":0}}`, func(c config.Config) any { return c.Agent.SelfUpdateScheduleDay }, 7},
		{`{"Agent":{"GoMaxProcForAgentWorker":100000}}`, func(c config.Config) any { return c.Agent.GoMaxProcForAgentWorker }, 0},
		{`{"Agent":{"UpdateWatchSeconds":601}}`, func(c config.Config) any { return c.Agent.UpdateWatchSeconds }, 30},
		{`{"Ssm":{"SessionLogsDestination":"x"}}`, func(c config.Config) any { return c.Ssm.SessionLogsDestination }, "none"},
		{`{"Ssm":{"PluginLocalOutputCleanup":""}}`, func(c config.Config) any { return c.Ssm.PluginLocalOutputCleanup }, "default"},
		{`{"Ssm":{"RunCommandLogsRetentionDurationHours":7}}`,
			func(c config.Config) any { return c.Ssm.RunCommandLogsRetentionDurationHours }, 336},
		{`{"Ssm":{"SessionLogsRetentionDurationHours":1}}`,
			func(c config.Config) any { return c.Ssm.SessionLogsRetentionDurationHours }, 1},
		{`{"Mgs":{"SessionWorkersLimit":0}}`, func(c config.Config) any { return c.Mgs.SessionWorkersLimit }, 5},
		{`{"Mgs":{"DeniedPortForwardingRemoteIPs":["10.0.0.1"]}}`,
			func(c config.Config) any { return c.Mgs.DeniedPortForwardingRemoteIPs }, []string{"10.0.0.1"}},
		{`{"Mgs":{"DeniedPortForwardingRemoteIPs":[]}}`,
			func(c config.Config) any { return c.Mgs.DeniedPortForwardingRemoteIPs }, []string{}},
		{`{"Mgs":{}}`, func(c config.Config) any { return c.Mgs.DeniedPortForwardingRemoteIPs },
			d.Mgs.DeniedPortForwardingRemoteIPs},
	}
	for _, r := range rows {
		if got := r.get(parse(t, r.text)); !reflect.DeepEqual(got, r.want) {
			t.Errorf("%s: %v, want %v", r.text, got, r.want)
		}
	}
}

// Unknown names are dropped, nothing else left means the default order.
func TestUnknownIdentityTypesAreDropped(t *testing.T) {
	rows := map[string][]string{
		`["bogus"]`:                {"OnPrem", "EC2", "CustomIdentity"},
		`[]`:                       {"OnPrem", "EC2", "CustomIdentity"},
		`["EC2","bogus","OnPrem"]`: {"EC2", "OnPrem"},
		`["ECS"]`:                  {"ECS"},
	}
	for text, want := range rows {
		c := parse(t, `{"Identity":{"ConsumptionOrder":`+text+`}}`)
		if !reflect.DeepEqual(c.Identity.ConsumptionOrder, want) {
			t.Errorf("%s: %v", text, c.Identity.ConsumptionOrder)
		}
	}
}

func TestAFileThatCannotBeReadIsAnError(t *testing.T) {
	for _, text := range []string{"", "{", "{}x", `[]`, `{"Mds":{"CommandWorkersLimit":"5"}}`, `{"Profile":{"ShareCreds":1}}`} {
		path := filepath.Join(t.TempDir(), "amazon-ssm-agent.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(path)
		var e *config.Error
		if !errors.As(err, &e) || e.Path != path {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAnEditKeepsTheRestOfTheFile(t *testing.T) {
	old := "\xEF\xBB\xBF" + `{"zeta":{"b":1.50,"a":"<&>"},"agent":{"Region":"r","updateSource":"old"},"X":null}`
	got, err := config.Edit([]byte(old), map[string]any{
		"Agent.UpdateSource": "http://127.0.0.1:7700/m.json", "Ssm.Endpoint": "http://h", "Agent.Region": nil, "X.Y": true})
	if err != nil {
		t.Fatal(err)
	}
	want := `{
    "zeta": {
        "b": 1.50,
        "a": "<&>"
    },
    "agent": {
        "updateSource": "http://127.0.0.1:7700/m.json"
    },
    "X": {
        "Y": true
    },
    "Ssm": {
        "Endpoint": "http://h"
    }
}
`
	if string(got) != want {
		t.Errorf("%s", got)
	}
	again, err := config.Edit(got, map[string]any{"Ssm.Endpoint": "http://h"})
	if err != nil || string(again) != want {
		t.Errorf("again: %v\n%s", err, again)
	}
}

func TestAnEditRefusesWhatItCannotKeep(t *testing.T) {
	for _, text := range []string{"[]", "{", `{"Agent":1}`, "{} {}"} {
		if _, err := config.Edit([]byte(text), map[string]any{"Agent.Region": "r"}); err == nil {
			t.Errorf("%q was edited", text)
		}
	}
	if _, err := config.Edit(nil, map[string]any{"Agent": "r"}); err == nil {
		t.Error("a name without a section was taken")
	}
}

func TestSetMakesAndEditsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ssm", "amazon-ssm-agent.json")
	for _, watch := range []int{3, 4, 4} {
		if err := config.Set(path, map[string]any{"Agent.UpdateWatchSeconds": watch}); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path)
		if err != nil || c.Agent.UpdateWatchSeconds != watch {
			t.Errorf("%v, %+v", err, c.Agent)
		}
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	var e *config.Error
	if err := config.Set(path, map[string]any{"Agent.Region": "r"}); !errors.As(err, &e) {
		t.Errorf("a broken file was edited: %v", err)
	}
}
