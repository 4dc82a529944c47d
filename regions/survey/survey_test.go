package survey_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/survey"
)

func TestARegionThatLagsAndOneThatIsSilentAreTold(t *testing.T) {
	versions := map[string]string{"eu-west-1": "9.3.0.0", "eu-west-2": "9.1.0.0", "eu-west-3": "9.2.0.0"}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for region, version := range versions {
			if strings.HasPrefix(r.URL.Path, "/amazon-ssm-"+region+"/") {
				_, _ = w.Write([]byte(version))
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer s.Close()
	told := int64(0)
	a := survey.Ask(t.Context(), []string{"eu-west-2", "eu-north-1", "eu-west-1", "eu-west-3"},
		func(region string) (string, error) { return regions.BucketURL(region, s.URL, "") },
		func(done, total int64) { told = done + total })
	if a.Newest.String() != "9.3.0.0" || a.Unreadable != 1 || told != 8 || !strings.HasPrefix(a.FirstFault(), "eu-north-1: ") {
		t.Errorf("%+v, told %d", a, told)
	}
	if r := a.Rows[0]; r.Region != "eu-west-2" || r.Latest != "9.1.0.0" || r.Behind != "9.3.0.0" || r.Lag != "2 releases behind 9.3.0.0" {
		t.Errorf("%+v", r)
	}
	if r := a.Rows[3]; r.Lag != "1 release behind 9.3.0.0" {
		t.Errorf("%+v", r)
	}
}
