package machine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/current"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

func TestStatusSaysHowHostAndRegionDiffer(t *testing.T) {
	v, now := manifests.MustVersion, time.Now()
	ahead := &ledger.Outcome{Kind: string(manifests.Ahead), ToVersion: v("9.1.0.0"), Ended: now.Add(-time.Hour)}
	for name, c := range map[string]struct {
		r    statusResult
		says string
	}{
		"ahead, by an update": {statusResult{Running: "9.2.0.0", Update: ahead}, "it offers 9.1.0.0: this host is ahead of it"},
		"ahead, by a look": {statusResult{Running: "9.2.0.0", StayCurrent: &current.Result{Looked: now,
			Version: v("9.1.0.0")}}, "ahead of it"},
		"caught up since": {statusResult{Running: "9.2.0.0", Update: ahead, StayCurrent: &current.Result{Looked: now,
			Version: v("9.2.0.0")}}, ""},
		"rolled back since": {statusResult{Running: "9.1.0.0", Update: ahead}, ""},
		"the region is behind": {statusResult{Running: "9.1.0.0", Update: &ledger.Outcome{Kind: string(manifests.Behind),
			ToVersion: v("9.9"), Ended: now}}, "it does not have 9.9.0.0 yet"},
		"it agrees": {statusResult{Running: "9.1.0.0", Update: &ledger.Outcome{Kind: string(manifests.UpToDate),
			Ended: now}}, ""},
		"nothing runs, or is told": {statusResult{Update: ahead}, ""},
	} {
		c.r.Skew = current.SkewOf(c.r.Running, c.r.Update, c.r.StayCurrent)
		text := statusText(plainly(), c.r)
		if (c.r.Skew == nil) != (c.says == "") || !strings.Contains(text, c.says) || strings.Contains(text, "failed") {
			t.Errorf("%s: %+v\n%s", name, c.r.Skew, text)
		}
	}
}

// The schemas describe what is printed with a hold, a closed window, a blocked version and a region that differs.
func TestTheSchemasDescribeAHostThatIsHeldAndHasABlockedVersion(t *testing.T) {
	v, now := manifests.MustVersion("9.2.0.0"), time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	p := policy.Policy{Hold: &policy.Hold{Version: v, Reason: "audit", Since: now, Until: now}, Versions: ">=9.1", Cooldown: "3d",
		Windows: []policy.Window{{Start: "0 2 * * SUN", Duration: "3h", Zone: "UTC"}}}
	blocked := []ledger.Blocked{{Version: v, Reason: "it did not start", Attempts: 1, Until: now, Scheduled: true}}
	for name, object := range map[string]any{
		"status": statusResult{Policy: &p, PolicyProblem: "x", Skip: blocked, Warnings: []string{"x"}, Unreadable: []string{"x"},
			Skew: &current.Skew{Kind: "ahead-of-region", Offers: v, Wanted: v, Seen: now, Text: "x"}},
		"update-check": updater.Checked{Kind: policy.OutsideWindow, Code: "x", Hints: []string{"x"}, Newer: v, Fault: "refused",
			Overrode: "on-hold",
			Until:    now, Plan: &updater.Preview{Begins: now, Delta: v, NoExec: "x", Policy: p, WindowCloses: now, WindowNext: now, LastLook: now,
				Blocked: blocked}},
	} {
		text, err := os.ReadFile(filepath.Join("../../../docs/schema", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var schema map[string]any
		var value any
		printed, err := json.Marshal(object)
		if err == nil {
			err = json.Unmarshal(printed, &value)
		}
		if err == nil {
			err = json.Unmarshal(text, &schema)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, missing := range notDescribed(schema, value, name) {
			t.Errorf("docs/schema/%s.json does not describe %s", name, missing)
		}
	}
}

// notDescribed are the members of a value that a schema says nothing of.
func notDescribed(schema map[string]any, value any, path string) (missing []string) {
	switch value := value.(type) {
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		for key, member := range value {
			below, ok := properties[key].(map[string]any)
			if !ok {
				missing = append(missing, path+"."+key)
				continue
			}
			missing = append(missing, notDescribed(below, member, path+"."+key)...)
		}
	case []any:
		items, _ := schema["items"].(map[string]any)
		for _, element := range value {
			missing = append(missing, notDescribed(items, element, path+"[]")...)
		}
	}
	return missing
}
