package caller_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/caller"
)

func TestTheRegionOfAnInstanceIsThatOfItsMetadata(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "PUT /latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
			_, _ = w.Write([]byte("token"))
		case "GET /latest/dynamic/instance-identity/document":
			_, _ = w.Write([]byte(`{"region": "ap-south-1"}`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer s.Close()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", s.URL)
	if region, err := caller.InstanceRegion(t.Context()); err != nil || region != "ap-south-1" {
		t.Errorf("%q, %v", region, err)
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	if region, err := caller.InstanceRegion(t.Context()); err == nil {
		t.Errorf("metadata is switched off: %q", region)
	}
}
