package bucket_test

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// A proxy that opens connections signs with an authority of its own: the next step is said, and the agent's variable holds here, too.
func TestTheFileOfCertificatesIsBelievedAndItsLackIsSaid(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("9.1.0.0")) }))
	defer s.Close()
	latest := func() error {
		_, err := bucket.New(bucket.Options{Base: s.URL + "/amazon-ssm-local", Retries: 1}).Latest(t.Context())
		return err
	}
	t.Setenv("AWS_CA_BUNDLE", "")
	if err := latest(); !errors.Is(err, bucket.ErrUntrusted) || !strings.Contains(fault.HintOf(err), "AWS_CA_BUNDLE") ||
		fault.Of(err) != fault.Region {
		t.Errorf("unknown authority: %v, hint %q", err, fault.HintOf(err))
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	t.Setenv("AWS_CA_BUNDLE", file)
	if err := latest(); err == nil || !strings.Contains(err.Error(), "cannot read AWS_CA_BUNDLE") {
		t.Errorf("a file that is not there: %v", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := latest(); err != nil {
		t.Errorf("with the authority's certificate: %v", err)
	}
}
