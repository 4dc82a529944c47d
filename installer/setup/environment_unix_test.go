//go:build unix

package setup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A Greengrass component's registration signs with what the nucleus gave it, and gets nothing else of the environment.
func TestARegistrationWithARoleGetsTheComponentsCredentialsAndNothingElse(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "secret")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/credentials")
	said := filepath.Join(t.TempDir(), "said")
	i := agentThat(t, "env >"+said+"\n")
	_, err := i.Register(t.Context(), Registration{Region: "local", Role: "r"})
	text, _ := os.ReadFile(said)
	if err == nil || strings.Contains(string(text), "secret") || !strings.Contains(string(text), "AWS_CONTAINER_AUTHORIZATION_TOKEN=token") ||
		!strings.Contains(string(text), "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/credentials") {
		t.Errorf("%v: %s", err, text)
	}
}

// Scripts of packages run with the system's search path, and with no secret of the shell's.
func TestAPackageManagerGetsNoneOfTheShellsVariables(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "secret")
	dir := tool(t, map[string]string{"dpkg": "env >$T/said\n"})
	must(t, runPackager(t.Context(), "dpkg", "-i", "x.deb"))
	said, err := os.ReadFile(filepath.Join(dir, "said"))
	if err != nil || strings.Contains(string(said), "secret") || !strings.Contains(string(said), "DEBIAN_FRONTEND=noninteractive") {
		t.Errorf("%s, %v", said, err)
	}
}
