package launcher_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// Launchers that are on hosts look for these very bytes in whatever they find at the agent's path.
func TestTheAgentCarriesTheMarkWhereverThePackageLies(t *testing.T) {
	if launcher.Mark != "ssm-setup/installer/launcher" {
		t.Fatalf("the mark became %q: launchers of earlier releases would wait for their own agents to end", launcher.Mark)
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the programs are built by the go command, which is not here: ", err)
	}
	for _, name := range []string{"ssm-agent-worker", "amazon-ssm-agent"} {
		file := filepath.Join(t.TempDir(), name)
		out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", file, "github.com/ssm-setup/ssm-setup/cmd/"+name).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		program, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !standsAlone(program, launcher.Mark) {
			t.Errorf("%s has the mark only in the names of its functions, which go where the package goes", name)
		}
	}
}

// standsAlone looks for a text that is not the end of this module's path.
func standsAlone(program []byte, mark string) bool {
	for {
		at := bytes.Index(program, []byte(mark))
		if at < 0 {
			return false
		}
		if !bytes.HasSuffix(program[:at], []byte("github.com/ssm-setup/")) {
			return true
		}
		program = program[at+len(mark):]
	}
}
