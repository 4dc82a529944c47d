package publish_test

import (
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// A mirror that takes only what a root of trust vouches for has not the region's signed indexes of apt and yum: its answer says so, and
// why.
func TestAMirrorThatVerifiesSaysWhatItLeavesOut(t *testing.T) {
	from := t.TempDir()
	k, _ := trustKeys(t)
	publishTo(t, target.Folder(from), release(t, "9.1.0.0", "one"), publish.Options{Trust: k, Repositories: true, Sign: &key{}})
	for _, c := range []struct {
		name   string
		signed bucket.Signed
		o      publish.Options
		left   bool
	}{
		{"by a root", trust.Pinned(rootOf(t, k), trust.Watch{}), publish.Options{Repositories: true}, true},
		{"unverified", nil, publish.Options{Repositories: true}, false},
		{"by a root, and no repositories", trust.Pinned(rootOf(t, k), trust.Watch{}), publish.Options{}, false},
		{"by a root, and a key of its own", trust.Pinned(rootOf(t, k), trust.Watch{}), publish.Options{Repositories: true, Sign: &key{}}, false},
	} {
		res, err := publish.Mirror(t.Context(), bucket.New(bucket.Options{Base: servedAt(t, from), Signed: c.signed}), target.Folder(t.TempDir()),
			publish.Wanted{}, c.o)
		if err != nil || strings.Contains(res.LeftOut, "apt and yum") != c.left {
			t.Errorf("%s: %v, left out %q", c.name, err, res.LeftOut)
		}
	}
}
