package updater_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// An updater that ends in the middle of a delta, as it is downloaded or applied, leaves the host as it was; the update goes on, or a later
// one is made, and nothing of the first is left.
func TestAnUpdaterThatEndsInTheMiddleOfADeltaLeavesNothingBehind(t *testing.T) {
	patch := deltaOf(t, "9.1.0.0", "9.2.0.0")
	for name, left := range map[string]map[string][]byte{
		"as it is downloaded": {hexSum(patch) + ".delta.part": patch[:len(patch)/2], hexSum(patch) + ".delta.part.etag": []byte("x")},
		"as it is applied":    {hexSum(patch) + ".delta": patch, hexSum(program("9.2.0.0")) + ".program.part": program("9.2.0.0")[:9]},
		"once it is applied":  {hexSum(patch) + ".delta": patch, hexSum(program("9.2.0.0")) + ".program": program("9.2.0.0")},
		"and the disk tore what was written": {hexSum(patch) + ".delta": make([]byte, len(patch)),
			hexSum(program("9.2.0.0")) + ".program": make([]byte, len(program("9.2.0.0")))},
	} {
		for _, resumes := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				cache := filepath.Join(w.layout.Download(), "update")
				e, _ := w.offering(patch, func() ([]byte, error) { return patch, nil })
				ctx, kill := context.WithCancel(context.Background())
				open := e.Open
				e.Open = func(ctx context.Context, url string) (updater.Source, error) {
					s, err := open(ctx, url)
					s.Fetch = func(context.Context, bucket.Want) error {
						for file, content := range left {
							w.put(filepath.Join(cache, file), content)
						}
						kill()
						return ctx.Err()
					}
					return s, err
				}
				if o, _ := e.Run(ctx, ledger.Request{Want: "latest", Why: ledger.ByCommandLine}, func(string) {}); o != nil {
					t.Fatalf("%+v", o)
				}
				if got := w.running(); got != "9.1.0.0" {
					t.Fatalf("%s runs", got)
				}
				again, _ := w.offering(patch, func() ([]byte, error) { return patch, nil })
				if resumes {
					must(t, again.Resume(context.Background()))
				} else if o := w.updated(again); !o.Success {
					t.Fatalf("%+v", o)
				}
				w.whole("9.2.0.0")
				if files, _ := os.ReadDir(cache); len(files) > 0 {
					t.Errorf("left: %v", files)
				}
			})
		}
	}
}
