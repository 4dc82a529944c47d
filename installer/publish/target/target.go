package target

import (
	"context"
	"errors"
	"io"

	"github.com/ssm-setup/ssm-setup/installer/credentials"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Target is where a release goes.
type Target interface {
	// String is the target for people: s3://bucket/prefix or a folder.
	String() string
	// Read opens an object. tag names its present content for a condition. ErrAbsent when there is none.
	Read(ctx context.Context, key string) (body io.ReadCloser, tag string, err error)
	// Stat looks at an object; ErrAbsent when there is none.
	Stat(ctx context.Context, key string) (Object, error)
	// Write puts a whole object with the SHA-256 sum (hex), if the condition holds; ErrChanged when it does not. ErrBody when body
	// has another sum: then nothing was written.
	Write(ctx context.Context, key string, body io.ReadSeeker, sum string, when When) error
	// Copy makes key another object with the bytes of one that lies in at, of the SHA-256 sum (hex), if the condition holds, without
	// sending them; after nil that was compared. [ErrUncopied] where the target cannot: then nothing was written. ErrDiffers when
	// what it copied has another sum.
	Copy(ctx context.Context, at Target, from, key, sum string, when When) error
	// Remove deletes an object; one that is not there may be ErrAbsent.
	Remove(ctx context.Context, key string) error
}

// Object is what a target says of one.
type Object struct {
	Size   int64
	SHA256 string // hex; empty where the target does not know it
}

// When is the condition of a write. The zero value is none.
type When struct {
	Tag    string // the object still has this tag
	Absent bool   // there is no such object
}

// Faults that callers test for.
var (
	ErrAbsent  = errors.New("there is no such object")
	ErrBody    = errors.New("the bytes are not those that were to be written")
	ErrChanged = fault.New(fault.Busy, "the object was changed meanwhile",
		"another publication to that place is under way; run it again")
	ErrDiffers = fault.New(fault.Verify, "what was read back is not what was written",
		"the bucket gave back something else; run it again, VERSION still names the old version")
	ErrDenied = fault.New(fault.Permission, "the bucket does not allow it",
		"use credentials that may write there (s3:GetObject, PutObject, ListBucket): AWS_PROFILE, --profile, AWS_SHARED_CREDENTIALS_FILE")
	ErrUnable = fault.New(fault.Refused, "the bucket does not know conditional writes",
		"without If-Match and If-None-Match two publications could mix: publish to a folder with --to, and copy that, VERSION last")
	ErrFaulty = fault.New(fault.Region, "the bucket answers with an error of its own",
		"run it again later; VERSION still names the old version")
	ErrNoBucket = fault.New(fault.Region, "there is no such bucket",
		"make the bucket first, or check the region's name and --to")
	ErrCredentials = credentials.ErrMissing
)

// IsAbsent tells whether an error says that there is no such object.
func IsAbsent(err error) bool { return errors.Is(err, ErrAbsent) }
