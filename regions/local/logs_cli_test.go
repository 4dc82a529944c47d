//go:build integration

package local_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

func TestTheAWSCLIReadsLogs(t *testing.T) {
	r := local.Start(t)
	c := newCLI(t, r)
	logs := func(args ...string) string {
		t.Helper()
		out, problem, err := c.run(append([]string{"logs"}, args...)...)
		if err != nil {
			t.Fatalf("aws logs %s: %v\n%s", strings.Join(args, " "), err, problem)
		}
		return out
	}
	logs("create-log-group", "--log-group-name", "/aws/ssm/Doc")
	logs("create-log-stream", "--log-group-name", "/aws/ssm/Doc", "--log-stream-name", "cmd/mi-1/step/stdout")
	now := time.Now().UnixMilli()
	logs("put-log-events", "--log-group-name", "/aws/ssm/Doc", "--log-stream-name", "cmd/mi-1/step/stdout", "--log-events",
		fmt.Sprintf("timestamp=%d,message=hello", now), fmt.Sprintf("timestamp=%d,message=world", now+1))
	for _, args := range [][]string{
		{"tail", "/aws/ssm/Doc"},
		{"tail", "/aws/ssm/Doc", "--since", "1h", "--format", "short", "--log-stream-name-prefix", "cmd/"},
		{"filter-log-events", "--log-group-name", "/aws/ssm/Doc"},
		{"get-log-events", "--log-group-name", "/aws/ssm/Doc", "--log-stream-name", "cmd/mi-1/step/stdout", "--start-from-head"},
	} {
		if out := logs(args...); !strings.Contains(out, "hello") || !strings.Contains(out, "world") {
			t.Errorf("aws logs %v printed %s", args, out)
		}
	}
	if out := logs("tail", "/aws/ssm/Doc", "--filter-pattern", "world"); strings.Contains(out, "hello") {
		t.Error(out)
	}
	logs("put-retention-policy", "--log-group-name", "/aws/ssm/Doc", "--retention-in-days", "7")
	if out := logs("describe-log-groups"); !strings.Contains(out, `"retentionInDays": 7`) {
		t.Error(out)
	}
	if out := logs("describe-log-streams", "--log-group-name", "/aws/ssm/Doc"); !strings.Contains(out, "cmd/mi-1/step/stdout") {
		t.Error(out)
	}
	logs("delete-log-stream", "--log-group-name", "/aws/ssm/Doc", "--log-stream-name", "cmd/mi-1/step/stdout")
	logs("delete-log-group", "--log-group-name", "/aws/ssm/Doc")
	if _, problem, err := c.run("logs", "tail", "/aws/ssm/Doc"); err == nil || !strings.Contains(problem, "ResourceNotFoundException") {
		t.Error(problem)
	}
}
