package local_test

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

func TestANodeIsToldWhoItIs(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	body := []byte("Action=GetCallerIdentity&Version=2011-06-15")
	req, err := http.NewRequest("POST", r.URL()+"/", bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	must(t, n.sigV4("sts")(req, body))
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	var out struct {
		Arn     string `xml:"GetCallerIdentityResult>Arn"`
		UserId  string `xml:"GetCallerIdentityResult>UserId"`
		Account string `xml:"GetCallerIdentityResult>Account"`
	}
	must(t, xml.NewDecoder(res.Body).Decode(&out))
	if out.Account != local.Account || out.Arn != "arn:aws:sts::"+local.Account+":assumed-role/LocalNode/"+n.id ||
		!strings.HasSuffix(out.UserId, ":"+n.id) {
		t.Errorf("%+v", out)
	}
}
