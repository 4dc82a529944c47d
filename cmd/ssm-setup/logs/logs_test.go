package logs

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTheLastLinesOfALogAreFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	long := strings.Repeat("x", 100<<10)
	for _, c := range []struct {
		text string
		n    int
		want string
	}{{"a\nb\nc\n", 2, "b\nc\n"}, {"a\nb\nc", 2, "b\nc"}, {"a\n", 5, "a\n"}, {"", 3, ""}, {"a\nb\n", 0, "a\nb\n"},
		{long + "\n" + long + "\nend\n", 2, long + "\nend\n"}, {"\n\n\n", 1, "\n"}} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		err = lastLines(f, c.n)
		at, _ := f.Seek(0, 1)
		f.Close()
		if got := c.text[at:]; err != nil || got != c.want {
			t.Errorf("%d of %.20q: %.20q, %v", c.n, c.text, got, err)
		}
	}
}

// safe is a place to write that two goroutines share.
type safe struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestALogIsFollowedThroughItsExchange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	var seen safe
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- followFile(ctx, path, nil, &seen, func() error { return nil }) }()
	add := func(text string) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	await := func(want string) {
		for began := time.Now(); seen.String() != want; time.Sleep(20 * time.Millisecond) {
			if time.Since(began) > 2*time.Minute {
				t.Fatalf("%q, not %q", seen.String(), want)
			}
		}
	}
	add("one\n")
	await("one\n")
	add("two\n")
	await("one\ntwo\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	add("three\n")
	await("one\ntwo\nthree\n")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
