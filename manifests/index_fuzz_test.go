package manifests_test

import (
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// FuzzIndex reads what a region says of its releases: what is accepted keeps its bounds, and is the same when it is read again.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(anIndex))
	f.Add(manifests.NewIndex().Bytes())
	f.Add([]byte("\uFEFF {\"schema\":1,\"versions\":{\"9.1.0.0\":{\"percent\":101}}}"))
	f.Add([]byte(`{"schema":1,"withdrawn":[{"from":"9.1.0.0","to":"9.0.0.0","go":"9.1.4.0"}],"halted":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := manifests.ParseIndex(b)
		if err != nil {
			return
		}
		for text, r := range x.Versions {
			if s := r.Share(); s < 0 || s > 100 {
				t.Fatalf("version %s is for %d percent", text, s)
			}
		}
		for _, w := range x.Withdrawn {
			if w.Check() != nil || w.Covers(w.Go) {
				t.Fatalf("accepted: %+v", w)
			}
			if by, ok := x.Replacement(w.From); !ok || !by.Covers(w.From) {
				t.Fatalf("%s is withdrawn, and no withdrawal covers it", w.From)
			}
		}
		text := x.Bytes()
		again, err := manifests.ParseIndex(text)
		if len(text) <= manifests.MaxIndex && (err != nil || string(again.Bytes()) != string(text)) {
			t.Fatalf("read again: %v\n%s", err, text)
		}
	})
}
