package local_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// earlier is what the region of release 9.1.0.0 says of itself beside its data folder.
type earlier struct {
	At                       time.Time // when it was closed
	Node, Done, Open, Upload string    // node id, command ids, id of an upload under way
	Token                    wire.RequestManagedInstanceRoleTokenOutput
}

// unpackEarlier unpacks the data folder of a region that release 9.1.0.0 made: one node, a command done and one waiting, a document,
// objects, an upload in parts under way.
func unpackEarlier(t *testing.T) (data string, left earlier) {
	t.Helper()
	f := need[*os.File](t)(os.Open("testdata/region-9.1.0.0.tar.gz"))
	defer f.Close()
	data = t.TempDir()
	for files := tar.NewReader(need[*gzip.Reader](t)(gzip.NewReader(f))); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		if path := filepath.Join(data, filepath.FromSlash(h.Name)); h.Typeflag == tar.TypeReg {
			must(t, os.MkdirAll(filepath.Dir(path), 0o700))
			must(t, os.WriteFile(path, need[[]byte](t)(io.ReadAll(files)), 0o600))
		}
	}
	must(t, json.Unmarshal(need[[]byte](t)(os.ReadFile(filepath.Join(data, "left.json"))), &left))
	return data, left
}

func TestADataFolderOfAnEarlierReleaseGoesOn(t *testing.T) {
	data, left := unpackEarlier(t)
	r := need[*local.Region](t)(local.Open(local.Options{Data: data, NoSync: true}))
	defer r.Close()
	r.Advance(time.Until(left.At)) // back to the time it was closed, or the waiting command is overdue

	n := &agentNode{t: t, region: r, id: left.Node, token: left.Token}
	if inv := need[local.Invocation](t)(r.Invocation(left.Done, left.Node)); inv.Status != "Success" || inv.StandardOutput != "hello\n" {
		t.Errorf("the command that was done: %+v", inv)
	}
	messages := n.poll()
	if len(messages) != 1 || wire.CommandID(messages[0].MessageId) != left.Open {
		t.Fatalf("waiting for the node: %v", messages)
	}
	n.ack(messages[0])
	n.reply(messages[0].MessageId, wire.Success, map[string]wire.StepStatus{"aws:runShellScript": done("Success", 0, "later\n", "")})
	if s := statusOf(t, r, left.Open, n); s != "Success" {
		t.Errorf("the command that waited: %s", s)
	}
	must(t, n.ping("Active", "9.2.0.0"))
	if all := r.Instances(); len(all) != 1 || all[0].AgentVersion != "9.2.0.0" || len(r.Pings(left.Node)) != 2 {
		t.Errorf("nodes: %+v", all)
	}
	must(t, r.PutDocument("Greeting", `{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"other"}]}`))

	c, ctx := admin(t, r), context.Background()
	if got := read(t, c, "mine", "dir/object"); got != "kept" {
		t.Errorf("object: %q", got)
	}
	bucket, key := "mine", "dir/object"
	parts := need[*s3.ListPartsOutput](t)(c.ListParts(ctx, &s3.ListPartsInput{Bucket: &bucket, Key: &key, UploadId: &left.Upload}))
	if len(parts.Parts) != 1 || *parts.Parts[0].Size != 4 {
		t.Errorf("parts of the upload: %+v", parts.Parts)
	}
	if got := need[[]byte](t)(r.Get("latest/VERSION")); string(got) != "9.1.0.0" {
		t.Errorf("the region's bucket: %q", got)
	}
}
