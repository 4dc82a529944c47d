//go:build integration && unix

package guides_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// permissions are what IAM calls the operations that a region records. HeadObject needs GetObject; the parts of an upload need PutObject; a
// copy reads one object and writes another.
var permissions = map[string][]string{
	"GetObject": {"s3:GetObject"}, "HeadObject": {"s3:GetObject"}, "PutObject": {"s3:PutObject"},
	"CopyObject": {"s3:GetObject", "s3:PutObject"},
	"UploadPart": {"s3:PutObject"}, "UploadPartCopy": {"s3:GetObject", "s3:PutObject"}, "CreateMultipartUpload": {"s3:PutObject"},
	"CompleteMultipartUpload": {"s3:PutObject"}, "AbortMultipartUpload": {"s3:AbortMultipartUpload"}, "DeleteObject": {"s3:DeleteObject"},
	"ListMultipartUploads": {"s3:ListBucketMultipartUploads"}, "ListObjects": {"s3:ListBucket"}, "ListObjectsV2": {"s3:ListBucket"},
}

// notCalled are permissions of the policy without an operation of their own, and what they are for.
var notCalled = map[string]string{
	"s3:AbortMultipartUpload": "parts of a killed run are removed by a later one",
}

// policyAfter is the list of actions of the policy below a heading of docs/own-bucket.md.
func policyAfter(t *testing.T, heading string) (actions []string) {
	t.Helper()
	_, rest, _ := strings.Cut(page(t, "docs/own-bucket.md"), "\n## "+heading+"\n")
	_, rest, _ = strings.Cut(rest, "```json\n")
	text, _, _ := strings.Cut(rest, "```")
	var policy struct {
		Version   string
		Statement []struct {
			Effect   string
			Action   []string
			Resource string
		}
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		t.Fatalf("%v in the policy below %q:\n%s", err, heading, text)
	}
	for _, s := range policy.Statement {
		if s.Effect != "Allow" || !strings.HasPrefix(s.Resource, "arn:aws:s3:::") {
			t.Errorf("a statement allows %s on %s", s.Effect, s.Resource)
		}
		actions = append(actions, s.Action...)
	}
	slices.Sort(actions)
	return actions
}

// used are the permissions that the operations answered since the last look need.
func (w *world) used(t *testing.T, before map[string]int) []string {
	t.Helper()
	need := map[string]bool{}
	for _, operation := range w.region.Operations("s3") {
		if w.region.Count(operation) == before[operation] {
			continue
		}
		names, ok := permissions[operation]
		if !ok {
			t.Errorf("the operation %s was called; which permission is that?", operation)
		}
		for _, name := range names {
			need[name] = true
		}
	}
	return slices.Sorted(maps.Keys(need))
}

// counts are the operations answered so far.
func (w *world) counts() map[string]int {
	n := map[string]int{}
	for _, operation := range w.region.Operations("s3") {
		n[operation] = w.region.Count(operation)
	}
	return n
}

func TestThePoliciesAllowWhatTheCommandsCallAndNoMore(t *testing.T) {
	w := openWorld(t)
	before := w.counts()
	w.publishTool(t) // an object of 30 MB goes up in parts
	w.run(t, w.dir, "sh", `ssm-setup mark --region local --version 9.1.0.0 --status Deprecated
ssm-setup mark --region local --version 9.1.0.0 --status Active`)
	used, allowed := w.used(t, before), policyAfter(t, "Who may publish")
	for _, name := range used {
		if !slices.Contains(allowed, name) {
			t.Errorf("publish, promote and mark call %s, which the policy does not allow", name)
		}
	}
	for _, name := range allowed {
		if _, why := notCalled[name]; !why && !slices.Contains(used, name) {
			t.Errorf("the policy allows %s, which nothing calls", name)
		}
	}

	before, root := w.counts(), w.dir+"/host"
	w.removeHost(t, root)
	w.run(t, w.dir, "sh", `ssm-setup mirror --region local --to mirror
ssm-setup regions --region local
ssm-setup install --region local --root "$ROOT"
ssm-setup update --root "$ROOT"`, append(w.activation(t, 1), "ROOT="+root)...)
	if used, allowed := w.used(t, before), policyAfter(t, "Who may read"); !slices.Equal(used, allowed) {
		t.Errorf("mirror, regions, install and update call %v, the policy allows %v", used, allowed)
	}
}
