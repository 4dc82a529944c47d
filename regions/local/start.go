package local

// TB is the part of testing.TB that [Start] needs; this package does not import testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	TempDir() string
}

// Start runs a region in a temporary folder, on a free port, for one test: tests of the whole product call it. Calls are
// recorded, fsync is left out.
func Start(tb TB, change ...func(*Options)) *Region {
	tb.Helper()
	o := Options{NoSync: true, Record: true}
	for _, c := range change {
		c(&o)
	}
	if o.Data == "" {
		o.Data = tb.TempDir()
	}
	r, err := Open(o)
	if err != nil {
		tb.Fatalf("start a local region: %v", err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Logf("close the local region: %v", err)
		}
	})
	return r
}
