package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// What trust says, and status by the same rule, of a region that was signed some days ago: roles that live long are warned of 90, 30 and 7
// days before their end, those that live short in the last third; time is the later of the clock and the newest signed time, so a clock
// set back warns all the same.
func TestStatusWarnsOfSignaturesThatEndSoon(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name string
		days []string          // of roles, from their signing
		age  time.Duration     // since all was signed
		on   time.Duration     // from then on snapshot and timestamp alone are signed again, and the host's clock is set back after it saw them
		ends map[string]string // role: words of its warning; a role that is not named is not warned of
	}{
		{"fresh", []string{"root=365", "targets=180", "snapshot=30", "timestamp=7"}, 0, 0, nil},
		{"last third of a week", []string{"root=365", "targets=365", "snapshot=30", "timestamp=7"}, 5 * day, 0,
			map[string]string{"timestamp": "47 h"}},
		{"over", []string{"root=365", "targets=365", "snapshot=30", "timestamp=7"}, 8 * day, 0, map[string]string{"timestamp": "ended on"}},
		{"a root in 60 days", []string{"root=60", "targets=365", "snapshot=30", "timestamp=7"}, 0, 0, map[string]string{"root": "59 days"}},
		{"targets in 29 days", []string{"root=365", "targets=200", "snapshot=300", "timestamp=300"}, 171 * day, 0,
			map[string]string{"targets": "28 days"}},
		{"targets in 6 days", []string{"root=365", "targets=200", "snapshot=300", "timestamp=300"}, 194 * day, 0,
			map[string]string{"targets": "5 days"}},
		{"a clock that is right", []string{"root=365", "targets=110", "snapshot=30", "timestamp=7"}, 0, 0, nil},
		{"a clock that was set back", []string{"root=365", "targets=110", "snapshot=30", "timestamp=7"}, 0, 100 * day,
			map[string]string{"targets": "10 days"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			work, host := t.TempDir(), t.TempDir()
			keys, served := filepath.Join(work, "keys"), filepath.Join(work, "served")
			args := []string{"keys", "init", "--keys", keys}
			for _, d := range c.days {
				args = append(args, "--days", d)
			}
			if s := ssmSetup(args...); s.code != 0 {
				t.Fatal(s)
			}
			now := time.Now().Add(-c.age)
			k, err := keyring.Region(t.Context(), keyring.Folder(keys))
			must(t, err)
			_, err = publish.Refresh(t.Context(), target.Folder(served), true, publish.Options{Trust: k, Now: func() time.Time { return now }})
			must(t, err)
			if c.on > 0 {
				now = now.Add(c.on)
				for _, id := range k.Roots[0].Role(signed.Targets).Keys {
					delete(k.Ring, id)
				}
				_, err = publish.Refresh(t.Context(), target.Folder(served), false, publish.Options{Trust: k, Now: func() time.Time { return now }})
				must(t, err)
			}
			root, err := os.ReadFile(filepath.Join(keys, "root.json"))
			must(t, err)
			_, err = anchor.Pin(installer.At(host), root)
			must(t, err)
			web := httptest.NewServer(http.FileServer(http.Dir(served)))
			t.Cleanup(web.Close)
			_, err = bucket.New(bucket.Options{Base: web.URL, Signed: anchor.Signed(installer.At(host), trust.Watch{
				Now: func() time.Time { return now }})}).Verified(t.Context())
			must(t, err)
			var said struct {
				Warnings []string
			}
			s := ssmSetup("trust", "--root", host, "--json")
			must(t, json.Unmarshal([]byte(s.out), &said))
			for _, role := range []string{"root", "targets", "snapshot", "timestamp"} {
				want, found := c.ends[role], ""
				for _, line := range said.Warnings {
					if strings.Contains(line, `"`+role+`"`) {
						found = line
					}
				}
				if !strings.Contains(found, want) || (want == "") != (found == "") {
					t.Errorf("%s: %q, want %q", role, found, want)
				}
			}
		})
	}
}
