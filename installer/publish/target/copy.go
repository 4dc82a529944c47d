package target

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// ErrUncopied says that a target made no copy of an object, and wrote nothing: the bytes have to be sent.
var ErrUncopied = errors.New("no copy was made there")

func uncopied(why error) error { return fmt.Errorf("%w: %w", ErrUncopied, why) }

// Copy has the bucket copy an object: the bytes stay there. What it copied is compared by the SHA-256 that the bucket made of the copy;
// one that made none is read back. Once a bucket refused a copy it is not asked again.
func (b *store) Copy(ctx context.Context, at Target, from, key, sum string, when When) error {
	src, ok := bare(at).(*store)
	if !ok || src.endpoint != b.endpoint {
		return uncopied(errors.New("it lies in another kind of place"))
	}
	if err := b.mayCopy(ctx, src, from, when); err != nil {
		return err
	}
	if err := b.compare(ctx, key, when); err != nil {
		return err
	}
	in := b.copying(src, from, key)
	in.Metadata = map[string]string{sumNote: strings.ToLower(sum)}
	in.IfMatch, in.IfNoneMatch = when.conditions()
	if b.heedless {
		in.IfMatch, in.IfNoneMatch = nil, nil
	}
	out, err := b.client.CopyObject(ctx, in)
	if err != nil {
		return b.refusedCopy(src, sorted(err))
	}
	if raw, err := hex.DecodeString(sum); err == nil && out.CopyObjectResult != nil &&
		aws.ToString(out.CopyObjectResult.ChecksumSHA256) == base64.StdEncoding.EncodeToString(raw) {
		return nil
	}
	if err := Compare(ctx, b, key, sum); err != nil {
		if errors.Is(err, ErrDiffers) { // a store that knows no copies takes the request for an upload of nothing
			_ = b.refusedCopy(src, errors.New("its copies are not what was to be copied"))
		}
		return err
	}
	return nil
}

// copying is the request for a copy. Type and note are said anew, and tags are not taken along, because reading them is a right of its
// own.
func (b *store) copying(src *store, from, key string) *s3.CopyObjectInput {
	source := (&url.URL{Path: src.name + "/" + *src.key(from)}).EscapedPath()
	return &s3.CopyObjectInput{Bucket: &b.name, Key: b.key(key), CopySource: aws.String(strings.ReplaceAll(source, "+", "%2B")),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ContentType: aws.String(contentType(key)),
		MetadataDirective: types.MetadataDirectiveReplace, TaggingDirective: types.TaggingDirectiveReplace}
}

// mayCopy tells whether copies from a bucket can be had, and under a condition. A bucket may keep the conditions of uploads and ignore
// those of copies: it is asked once for a copy under one that cannot hold.
func (b *store) mayCopy(ctx context.Context, src *store, from string, when When) error {
	b.copyMu.Lock()
	defer b.copyMu.Unlock()
	if why := b.refused[src.name]; why != nil {
		return uncopied(why)
	}
	if when == (When{}) || b.heedless {
		return nil
	}
	if !b.copyProbed {
		in := b.copying(src, from, probeKey)
		in.IfMatch = aws.String(`"00000000000000000000000000000000"`)
		_, err := b.client.CopyObject(ctx, in)
		switch err = sorted(err); {
		case err == nil:
			b.copyHeedless = true
			if err := b.Remove(ctx, probeKey); err != nil {
				return err
			}
		case !errors.Is(err, ErrChanged) && !errors.Is(err, ErrAbsent): // what a condition that does not hold is answered with
			return b.refusal(src, err)
		}
		b.copyProbed = true
	}
	if b.copyHeedless {
		return uncopied(errors.New("it ignores the conditions of copies"))
	}
	return nil
}

func (b *store) refusedCopy(src *store, err error) error {
	b.copyMu.Lock()
	defer b.copyMu.Unlock()
	return b.refusal(src, err)
}

// refusal keeps why a bucket makes no copies. A condition that does not hold and faults that sending would meet, too, are no refusals.
func (b *store) refusal(src *store, err error) error {
	if errors.Is(err, ErrChanged) || errors.Is(err, ErrCredentials) || errors.Is(err, ErrFaulty) || errors.Is(err, bucket.ErrUnreachable) {
		return err
	}
	if !errors.Is(err, ErrAbsent) { // of one object only
		if b.refused == nil {
			b.refused = map[string]error{}
		}
		b.refused[src.name] = briefly(err)
	}
	return uncopied(briefly(err))
}

// briefly is the code of an answer, where there is one: the sentence around it names requests.
func briefly(err error) error {
	var coded smithy.APIError
	if errors.As(err, &coded) {
		return errors.New(coded.ErrorCode())
	}
	return err
}

// Copy gives the file another name (a hard link): on file systems that know those it costs no bytes. Files of a target are never
// changed where they lie, so one name's content stays when another's is replaced.
func (d *folder) Copy(_ context.Context, at Target, from, key, sum string, when When) error {
	src, ok := bare(at).(*folder)
	if !ok {
		return uncopied(errors.New("it lies in another kind of place"))
	}
	if info, err := os.Lstat(src.path(from)); err != nil || !info.Mode().IsRegular() {
		return uncopied(fmt.Errorf("%s is no file", from))
	}
	have, err := host.SHA256File(src.path(from))
	if err != nil {
		return err
	}
	if !strings.EqualFold(have, sum) {
		return fmt.Errorf("%w: %s has SHA-256 %s, %s expected", ErrDiffers, from, have, sum)
	}
	if err := MakeFolder(filepath.Dir(d.path(key))); err != nil {
		return err
	}
	if err := d.check(key, when); err != nil {
		return err
	}
	if err := host.Link(src.path(from), d.path(key)); err != nil {
		return uncopied(err)
	}
	d.recordFolders(key)
	return nil
}

// bare is a target without what keeps keys inside.
func bare(t Target) Target {
	if k, ok := t.(kept); ok {
		return k.Target
	}
	return t
}

func (k kept) Copy(ctx context.Context, at Target, from, key, sum string, when When) error {
	if err := errors.Join(inside(from), inside(key)); err != nil {
		return err
	}
	if path.Base(key) == "VERSION" { // its writing waits for the disk
		return uncopied(errors.New("it is written last"))
	}
	return k.Target.Copy(ctx, at, from, key, sum, when)
}
