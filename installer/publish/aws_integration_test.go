//go:build integration

package publish_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// aws runs Amazon's own client against a region; it must succeed.
func aws(t *testing.T, r *local.Region, args ...string) string {
	t.Helper()
	path := "/usr/bin/aws" // Debian's, before any other in the PATH
	if _, err := os.Stat(path); err != nil {
		if path, err = exec.LookPath("aws"); err != nil {
			t.Fatal("the AWS CLI is not installed (Debian: apt-get install awscli)")
		}
	}
	cmd := exec.Command(path, append([]string{"--endpoint-url", r.URL(), "--region", r.Name(), "--output", "json"}, args...)...)
	home := t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "LC_ALL=C.UTF-8",
		"AWS_SHARED_CREDENTIALS_FILE=" + r.CredentialsFile(), "AWS_CONFIG_FILE=" + filepath.Join(home, "config")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// What was published, in one piece and in parts, is what Amazon's own client fetches, checksums included; and a tree that it
// uploaded from a folder is one that publish goes on with.
func TestAmazonsClientReadsWhatWasPublished(t *testing.T) {
	ctx := context.Background()
	r, to := region(t)
	o := publish.Options{Repositories: true, Sign: &key{}}
	publishTo(t, to, release(t, "9.1.0.0", "one"), o)
	if err := to.Write(ctx, "large", bytes.NewReader(large()), host.SHA256Bytes(large()), target.When{Absent: true}); err != nil {
		t.Fatal(err)
	}
	bucket := regions.Bucket(r.Name())
	dir := t.TempDir()
	aws(t, r, "s3", "cp", "--recursive", "--only-show-errors", "s3://"+bucket, dir)
	whole(t, target.Folder(dir), "9.1.0.0")
	if b, err := os.ReadFile(filepath.Join(dir, "large")); err != nil || !bytes.Equal(b, large()) {
		t.Errorf("the large object differs: %d bytes, %v", len(b), err)
	}
	var head struct {
		ChecksumSHA256 string
		Metadata       map[string]string
	}
	key := "amazon-ssm-agent/9.1.0.0/amazon-ssm-agent-debian-amd64.deb"
	if err := json.Unmarshal([]byte(aws(t, r, "s3api", "head-object", "--bucket", bucket, "--key", key, "--checksum-mode", "ENABLED")),
		&head); err != nil {
		t.Fatal(err)
	}
	want := sum(read(t, to, key))
	if b, _ := base64.StdEncoding.DecodeString(head.ChecksumSHA256); hex.EncodeToString(b) != want || len(head.Metadata) != 1 {
		t.Errorf("%+v, want %s", head, want)
	}

	other, again := region(t)
	os.Remove(filepath.Join(dir, "large"))
	aws(t, other, "s3", "cp", "--recursive", "--only-show-errors", dir, "s3://"+regions.Bucket(other.Name()))
	whole(t, again, "9.1.0.0")
	publishTo(t, again, release(t, "9.2.0.0", "two"), o)
	whole(t, again, "9.2.0.0")
}
