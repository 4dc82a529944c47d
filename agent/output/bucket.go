package output

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// errNoRegion says that this program was started without the region's services.
var errNoRegion = errors.New("this agent is not registered")

// bucket keeps the whole streams in S3 when a step has ended: <prefix>/<plugin>/<step>/stdout and stderr, those that are not empty
// (docs/protocol/runcommand.md, "Files, S3, CloudWatch Logs").
type bucket struct {
	s3 func() (*cloud.S3, error)
}

func (b bucket) begin(_ context.Context, s Settings, _ Location) Keeping {
	return func(ctx context.Context, l Location) Kept { return b.keep(ctx, s, l) }
}

// keep puts both streams. Of a step that an updater answers for, that updater does.
func (b bucket) keep(ctx context.Context, s Settings, l Location) Kept {
	if l.Answered {
		return Kept{}
	}
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for _, name := range []string{stdoutFile, stderrFile} {
		f, err := os.Open(filepath.Join(l.Dir, name))
		if err != nil {
			return Kept{Note: bucketNote(s, "output", err)}
		}
		files = append(files, f)
	}
	p := put{bucket: s.Bucket, key: path.Join(l.Upload.Prefix, l.Upload.Step)}
	var out Kept
	for i, name := range []string{stdoutFile, stderrFile} {
		info, err := files[i].Stat()
		if err == nil && info.Size() == 0 {
			continue
		}
		if err == nil {
			err = p.open(ctx, b.s3)
		}
		if err == nil {
			err = p.s3.Upload(ctx, p.bucket, p.key+"/"+name, files[i], info.Size(), p.options)
		}
		if cloud.Code(err) == cloud.RequestError && i == 0 {
			return Kept{Note: bucketNote(s, "output", err)} // the other stream would only wait as long
		}
		if err != nil {
			out.Note += bucketNote(s, name, err)
			continue
		}
		out.Upload = l.Upload
	}
	return out
}

func bucketNote(s Settings, what string, err error) string {
	return fmt.Sprintf("\nThe S3 bucket %s does not have the %s: %s.\n", s.Bucket, what, strings.TrimSuffix(oneLine(err), "."))
}

// put is where and how one step's streams are put.
type put struct {
	bucket, key string
	s3          *cloud.S3
	options     cloud.PutOptions
}

// bucketForm is what a bucket may be called, old names of us-east-1 included.
var bucketForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)

// open finds out where the bucket lies and how it wants to be written, once.
func (p *put) open(ctx context.Context, s3 func() (*cloud.S3, error)) error {
	if p.s3 != nil {
		return nil
	}
	if s3 == nil {
		return errNoRegion
	}
	if !bucketForm.MatchString(p.bucket) {
		return errors.New("no bucket may be called so")
	}
	service, err := s3()
	if err != nil {
		return err
	}
	if _, err := service.Head(ctx, p.bucket, ""); cloud.Code(err) == cloud.RequestError || errors.Is(err, cloud.ErrNoCredentials) {
		return err
	}
	p.options = cloud.PutOptions{ContentType: "text/plain", ACL: "bucket-owner-full-control"}
	// Most nodes may not ask. The bucket's own rule holds then, without a word in the request.
	p.options.Encryption, err = service.Encryption(ctx, p.bucket)
	if cloud.Code(err) == cloud.RequestError {
		return err
	}
	p.s3 = service
	return nil
}
