package identity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// tokenExchange stands in for the service that a Greengrass component gets credentials from.
func tokenExchange(t *testing.T, c local.Credentials, token string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != token {
			http.Error(w, "who are you?", http.StatusForbidden)
			return
		}
		fmt.Fprintf(
			w,
			`{"AccessKeyId": %q, "SecretAccessKey": %q, "Token": "", "Expiration": "2100-01-01T00:00:00Z"}`,
			c.AccessKeyID,
			c.SecretAccessKey,
		)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/2016-11-01/credentialprovider/"
}

func variables(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// docs/protocol/identity.md, "Edge (Greengrass) registration".
func TestARegistrationWithARoleIsSigned(t *testing.T) {
	m := newMachine(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := tokenExchange(t, m.region.Admin(), "secret")
	for _, env := range [][]string{
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI", address, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret"},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI", strings.Replace(address, "127.0.0.1", "localhost", 1), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
			file},
	} {
		credentials, err := identity.Container(variables(env...))
		if err != nil {
			t.Fatal(err)
		}
		tags, err := identity.ParseTags(`[{"Key":"team","Value":"edge"},{"Key":"","Value":"x"},{"Key":"y","Value":""}]`)
		if err != nil {
			t.Fatal(err)
		}
		id := m.register(func(a *identity.Activation) { a.Role, a.Tags, a.Credentials = "EdgeRole", tags, credentials })
		calls := m.region.Calls("RegisterManagedInstance")
		call := calls[len(calls)-1]
		var sent map[string]any
		if err := json.Unmarshal(call.Body, &sent); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(call.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="+m.region.Admin().AccessKeyID) ||
			sent["IamRole"] != "EdgeRole" ||
			fmt.Sprint(sent["Tags"]) != "[map[Key:team Value:edge]]" || sent["ActivationId"] != nil ||
			sent["ActivationCode"] != nil {
			t.Errorf("sent %s, signed %q", call.Body, call.Header.Get("Authorization"))
		}
		if r := readJSON(t, m.layout.Registration()); r["ManagedInstanceID"] != id {
			t.Error(r)
		}
	}
	// As a node it signs with its own key, as any other.
	i, err := identity.Load(m.layout, m.config, m.options())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Credentials().Retrieve(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCredentialsOfAContainer(t *testing.T) {
	if _, err := identity.Container(variables()); !errors.Is(err, identity.ErrNoContainer) {
		t.Error(err)
	}
	address := tokenExchange(t, local.Credentials{AccessKeyID: "a", SecretAccessKey: "s"}, "secret")
	for wrong, env := range map[string][]string{
		"403":                     {"AWS_CONTAINER_CREDENTIALS_FULL_URI", address},
		"neither an http nor":     {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "ftp://127.0.0.1/"},
		"so it must be https":     {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/"},
		"open /no such":           {"AWS_CONTAINER_CREDENTIALS_FULL_URI", address, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/no such"},
		"credentials of the cont": {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/"},
	} {
		c, err := identity.Container(variables(env...))
		if err == nil {
			_, err = c.Retrieve(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %s", err, wrong)
		}
	}
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	defer empty.Close()
	c, err := identity.Container(variables("AWS_CONTAINER_CREDENTIALS_FULL_URI", empty.URL))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Retrieve(t.Context()); err == nil || !strings.Contains(err.Error(), "holds no credentials") {
		t.Error(err)
	}
}

func TestTagsOfARegistration(t *testing.T) {
	for text, want := range map[string]string{"": "[]", "{}": "[]", "[]": "[]", ` [{"Key":"a","Value":"b"}] `: "[{a b}]"} {
		if got, err := identity.ParseTags(text); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := identity.ParseTags("a=b"); err == nil {
		t.Error("no JSON, no error")
	}
}
