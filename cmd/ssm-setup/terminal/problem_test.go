package terminal

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
)

func TestFaultsThatAnySubcommandCanMeetHaveACodeAndANextStep(t *testing.T) {
	for cause, code := range map[error]int{context.Canceled: 130, syscall.EROFS: 7, syscall.ENOSPC: 10,
		syscall.EACCES: 7} {
		p := explain(Cannot("do", "it", fmt.Errorf("further down: %w", &os.PathError{Op: "write", Path: "x", Err: cause})))
		if p.Kind.ExitCode() != code || p.Hint == "" {
			t.Errorf("%v: %s, %q", cause, p.Kind, p.Hint)
		}
	}
}
