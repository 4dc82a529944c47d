package survey_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/survey"
)

func TestWhatKeepsAllRegionsAwayIsSaidOnce(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	secret := httptest.NewTLSServer(http.NotFoundHandler())
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	defer plain.Close()
	defer secret.Close()
	for base, want := range map[string]string{
		"http://name.invalid/x": "its name cannot be resolved (DNS)",
		secret.URL + "/x":       "its certificate is not believed",
		closed.URL + "/x":       "the connection is refused",
	} {
		at := func(string) (string, error) { return base, nil }
		a := survey.Ask(t.Context(), []string{"eu-west-1", "eu-west-2"}, at, func(int64, int64) {})
		trouble, one := a.Trouble()
		if !one || trouble.What != want || trouble.Hint == "" || a.Rows[1].Trouble != want || a.Rows[1].Error == "" {
			t.Errorf("%s: %+v, %v, %+v", base, trouble, one, a.Rows)
		}
	}
	at := func(region string) (string, error) {
		return map[string]string{"eu-west-1": plain.URL, "eu-west-2": closed.URL}[region] + "/x", nil
	}
	if a := survey.Ask(t.Context(), []string{"eu-west-1", "eu-west-2"}, at, func(int64, int64) {}); a.Rows[0].Error == "" {
		t.Errorf("%+v", a)
	} else if _, one := a.Trouble(); one {
		t.Errorf("two troubles are one: %+v", a)
	}
}
