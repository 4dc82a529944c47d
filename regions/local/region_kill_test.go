package local_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// victimData tells the test binary to be a region that is killed while it works.
const victimData = "LOCAL_REGION_TEST_DATA"

func TestMain(m *testing.M) {
	if data := os.Getenv(victimData); data != "" {
		victim(data)
	}
	os.Exit(m.Run())
}

// victim puts objects until it is killed and says which are done.
func victim(data string) {
	r, err := local.Open(local.Options{Data: data})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		key := fmt.Sprintf("key/%d", i%7) // new ones and replaced ones
		if err := r.Put(key, content(i)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(key, i)
	}
}

func content(i int) []byte { return []byte(strings.Repeat(fmt.Sprint(i, " "), 5000)) }

func TestWhatWasAnsweredSurvivesKill9(t *testing.T) {
	data := t.TempDir()
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), victimData+"="+data)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := map[string]int{}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var key string
			var i int
			if _, err := fmt.Sscan(lines.Text(), &key, &i); err != nil {
				t.Fatalf("%q: %v", lines.Text(), err)
			}
			done[key] = i
			if n == 15+9*round {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		r := need[*local.Region](t)(local.Open(local.Options{Data: data}))
		for key, i := range done {
			got, err := r.Get(key)
			if next := i + 7; err != nil || string(got) != string(content(i)) && string(got) != string(content(next)) {
				t.Errorf("%s after kill: %.20q, %v, want %d", key, got, err, i)
			}
		}
		if keys := need[[]string](t)(r.Keys("")); bodies(t, r) != len(keys) {
			t.Errorf("%d bodies for %d objects", bodies(t, r), len(keys))
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
