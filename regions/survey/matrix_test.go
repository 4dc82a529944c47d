package survey_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/survey"
)

func TestAPageShowsRegionsVersionsAndWhoLags(t *testing.T) {
	r := local.Start(t)
	for key, text := range map[string]string{"latest/VERSION": "9.2.0.0\n", "stable/VERSION": "9.1.0.0\n"} {
		if err := r.Put(key, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	base := func(region string) (string, error) { return regions.BucketURL(region, r.URL(), "") }
	a := survey.Ask(context.Background(), []string{"local", "eu-west-1"}, base, func(int64, int64) {})
	a.Rows[1].Error = "<script>alert(1)</script>"
	a.Rows = append(a.Rows, survey.Row{Region: "us-east-1", Latest: "9.1.0.0", Behind: "9.2.0.0", Lag: "1 minor version behind"})
	page, err := a.HTML(time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, want := range []string{`<th scope="col">9.2.0.0</th><th scope="col">9.1.0.0</th>`,
		`<th scope="row">local</th><td>latest</td><td>stable</td>`, `<th scope="row">us-east-1</th><td></td><td>latest</td>`,
		"1 minor version behind", "up to date", "1 behind, 1 unreadable", "&lt;script&gt;", "2027-01-15T08:00:00Z"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "<script") || strings.Contains(text, "http:") || strings.Contains(text, "src=") {
		t.Errorf("the page runs or fetches something\n%s", text)
	}
}
