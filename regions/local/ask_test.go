package local_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// A page or script that lies in a bucket is data: the browser that opens it must run nothing of it.
func TestNoAnswerOfARegionRunsInABrowser(t *testing.T) {
	r := local.Start(t)
	must(t, r.Put("page.html", []byte("<script>alert(1)</script>")))
	for _, path := range []string{"/amazon-ssm-local/page.html", "/amazon-ssm-local/none", "/no-bucket/x", "/"} {
		res, err := http.Get(r.URL() + path)
		must(t, err)
		res.Body.Close()
		if res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Content-Security-Policy") != "sandbox" {
			t.Errorf("%s: %v", path, res.Header)
		}
	}
}

func TestOperationsAreAskedWithoutThePort(t *testing.T) {
	r := local.Start(t)
	changed := r.Changed()
	var made struct{ ActivationId, ActivationCode string }
	must(t, r.Ask(context.Background(), "CreateActivation", map[string]any{"IamRole": "x", "RegistrationLimit": 3}, &made))
	if len(made.ActivationId) != 36 || len(made.ActivationCode) < 20 {
		t.Errorf("%+v", made)
	}
	<-changed
	var f local.Fault
	if err := r.Ask(context.Background(), "SendCommand", map[string]any{"DocumentName": "None"}, nil); !errors.As(err, &f) {
		t.Errorf("error %v", err)
	}
	if err := r.Ask(context.Background(), "Nothing", nil, nil); !errors.As(err, &f) || f.Code != "UnknownOperationException" {
		t.Errorf("error %v", err)
	}
	must(t, r.Ask(context.Background(), "DescribeActivations", struct{}{}, nil))
	log := r.Log()
	if len(log) != 3 || log[1].Operation != "SendCommand" || log[1].Status != 400 || log[2].Who != "administrator" || log[2].Status != 200 {
		t.Errorf("the log: %+v", log)
	}
	must(t, r.Close())
	if err := r.Ask(context.Background(), "DescribeActivations", struct{}{}, nil); err == nil {
		t.Error("a closed region answered")
	}
}

func TestTheLogOfCallsHasTheLastOnes(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	called := r.Called()
	must(t, n.ping("Active", "9.2.0.0"))
	<-called
	if s := r.Log()[0]; s.Operation != "UpdateInstanceInformation" || s.Who != n.id || s.Status != 200 || s.Path != "/" {
		t.Errorf("%+v", s)
	}
	long := "/amazon-ssm-local/" + strings.Repeat("x", 300)
	for range 600 {
		res, err := http.Get(r.URL() + long + "?x=secret")
		must(t, err)
		res.Body.Close()
	}
	log := r.Log()
	if len(log) != 500 || log[0].Number != log[499].Number+499 || log[0].Who != "anonymous" || log[0].Status != 404 {
		t.Errorf("%d calls, the newest %+v, the oldest %+v", len(log), log[0], log[len(log)-1])
	}
	if len(log[0].Path) != 200 || strings.Contains(log[0].Path, "secret") {
		t.Errorf("path %q", log[0].Path)
	}
}

func TestObjectsAreListedWithTheirSizes(t *testing.T) {
	r := local.Start(t)
	must(t, r.Put("a/1", []byte("one")))
	must(t, r.Put("b/1", []byte("three")))
	list, err := r.Objects("b/")
	must(t, err)
	if len(list) != 1 || list[0].Key != "b/1" || list[0].Size != 5 || len(list[0].ETag) != 32 || list[0].Modified.IsZero() {
		t.Errorf("%+v", list)
	}
}

func TestADocumentIsCheckedWithoutKeepingIt(t *testing.T) {
	r := local.Start(t)
	c, err := r.CheckDocument("schemaVersion: '2.2'\nmainSteps:\n- {action: 'aws:runShellScript', name: one}\n")
	if err != nil || len(c.Steps) != 1 || c.Platforms[0] != "Linux" {
		t.Errorf("%+v %v", c, err)
	}
	_, err = r.CheckDocument(`{"schemaVersion":"9"}`)
	wantFault(t, err, "InvalidDocumentSchemaVersion")
	_, err = r.CheckDocument("schemaVersion: '2.2'\nx: " + strings.Repeat("y", 70_000))
	wantFault(t, err, "MaxDocumentSizeExceeded")
}

func wantFault(t *testing.T, err error, code string) {
	t.Helper()
	var f local.Fault
	if !errors.As(err, &f) || f.Code != code {
		t.Errorf("error %v, want %s", err, code)
	}
}
