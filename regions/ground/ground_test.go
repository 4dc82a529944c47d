package ground_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/ground"
)

func TestAFileIsMadeWholeOrNotAtAll(t *testing.T) {
	for _, durable := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "file")
		if err := ground.Write(path, []byte("before"), 0o600, durable); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("source broke")
		src := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
		if _, err := ground.WriteFrom(path, src, 0o600, durable); !errors.Is(err, broken) {
			t.Errorf("error %v, want that of the source", err)
		}
		if got, _ := os.ReadFile(path); string(got) != "before" {
			t.Errorf("the file holds %q after a write that failed", got)
		}
		if size, err := ground.WriteFrom(path, strings.NewReader("after"), 0o640, durable); err != nil || size != 5 {
			t.Errorf("%d bytes, %v", size, err)
		}
		if got, _ := os.ReadFile(path); string(got) != "after" {
			t.Errorf("the file holds %q", got)
		}
		if info, err := os.Stat(path); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o640 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".new-*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

func TestTheHashOfAFileIsThatOfItsBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got, err := ground.SHA256File(path); err != nil || got != want || ground.SHA256([]byte("abc")) != want {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAContextEndsASleep(t *testing.T) {
	if err := ground.Sleep(context.Background(), time.Millisecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := ground.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
