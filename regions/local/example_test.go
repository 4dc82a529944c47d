package local_test

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// exampleTB stands in for the *testing.T of a test.
type exampleTB struct{ dir string }

func (exampleTB) Helper()                      {}
func (exampleTB) Cleanup(func())               {}
func (exampleTB) Fatalf(text string, a ...any) { panic(fmt.Sprintf(text, a...)) }
func (exampleTB) Logf(string, ...any)          {}
func (tb exampleTB) TempDir() string           { return tb.dir }

// A test starts a region, puts a file into its bucket as a publisher would, and reads it back as a host does.
func ExampleStart() {
	dir, err := os.MkdirTemp("", "region")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	r := local.Start(exampleTB{dir})
	defer r.Close()
	if err := r.Put("latest/VERSION", []byte("9.1.0.0\n")); err != nil {
		panic(err)
	}
	res, err := http.Get(r.URL() + "/amazon-ssm-local/latest/VERSION")
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	fmt.Print(res.Status, ": ", string(text))

	r.Break("GetObject", 1, http.StatusServiceUnavailable, "SlowDown") // the next reader is sent away
	res, err = http.Get(r.URL() + "/amazon-ssm-local/latest/VERSION")
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	fmt.Println(res.Status, "after", r.Count("GetObject"), "requests")
	// Output:
	// 200 OK: 9.1.0.0
	// 503 Service Unavailable after 2 requests
}
