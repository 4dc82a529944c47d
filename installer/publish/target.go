package publish

import (
	"context"
	"errors"
	"io"
)

// Target is where a release goes.
type Target interface {
	// String is the target for people: s3://bucket/prefix or a folder.
	String() string
	// Read opens an object. tag names its present content for a condition. ErrAbsent when there is none.
	Read(ctx context.Context, key string) (body io.ReadCloser, tag string, err error)
	// Stat looks at an object; ErrAbsent when there is none.
	Stat(ctx context.Context, key string) (Object, error)
	// Write puts a whole object, if the condition holds; ErrChanged when it does not.
	Write(ctx context.Context, key string, body io.ReadSeeker, when When) error
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
	ErrAbsent      = errors.New("there is no such object")
	ErrChanged     = errors.New("the object was changed meanwhile")
	ErrDiffers     = errors.New("what was read back is not what was written")
	ErrPublished   = errors.New("this version is already published with other content")
	ErrRelease     = errors.New("not a release folder")
	ErrDenied      = errors.New("the bucket does not allow it")
	ErrUnable      = errors.New("the bucket does not know conditional writes")
	ErrFaulty      = errors.New("the bucket has a fault of its own")
	ErrNoBucket    = errors.New("there is no such bucket")
	ErrCredentials = errors.New("no usable AWS credentials")
	ErrSigned      = errors.New("the repositories there are signed, and there is no key to sign them anew")
	ErrNotServed   = errors.New("the region does not serve this version")
)

func isAbsent(err error) bool { return errors.Is(err, ErrAbsent) }
