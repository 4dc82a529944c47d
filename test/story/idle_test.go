//go:build unix

package story_test

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// idleCost counts, from the region's own log, what a host that has nothing to do asks of the bucket within args[0] seconds, where it looks
// every args[1] seconds (0: it does not): one conditional request a look, answered with "not modified".
func idleCost(ts *testscript.TestScript, s *story, args []string) {
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	period, err := strconv.Atoi(args[1])
	ts.Check(err)
	began := time.Now()
	time.Sleep(time.Duration(seconds) * time.Second)
	took := time.Since(began).Seconds()
	asked := 0
	for _, call := range s.region.Log() {
		if call.At.Before(began) || !strings.HasPrefix(call.Path, "/amazon-ssm-") {
			continue
		}
		asked++
		if call.Status != http.StatusNotModified || !strings.HasSuffix(call.Path, "/latest/VERSION") {
			ts.Fatalf("an idle host asks %s %s: %d", call.Operation, call.Path, call.Status)
		}
	}
	most := 0
	if period > 0 {
		most = int(took)/period + 2
	}
	if asked > most || period > 0 && asked == 0 {
		ts.Fatalf("%d requests in %.0f s, at most %d expected", asked, took, most)
	}
	ts.Logf("%d requests in %.0f s", asked, took)
}
