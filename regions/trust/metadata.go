package trust

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// The roles, by the names that metadata uses.
const (
	roleRoot      = "root"
	roleTimestamp = "timestamp"
	roleSnapshot  = "snapshot"
	roleTargets   = "targets"
)

// What is accepted of metadata: bytes of a file, and how many of a thing it may hold.
const (
	MaxRoot      = 512 << 10
	MaxTimestamp = 64 << 10
	MaxSnapshot  = 2 << 20
	MaxTargets   = 16 << 20

	maxKeys       = 64
	maxSignatures = 64
	maxFiles      = 1024    // in a snapshot
	maxListed     = 100_000 // in targets
)

// signedTime is the member that says when a role was signed.
const signedTime = "x-ssm-signed"

// envelope is a file of metadata as it came: whose signatures these are is not known yet.
type envelope struct {
	signed     object
	message    []byte            // what the signatures are over
	signatures map[string][]byte // by key id
	head
}

// head is what every role has.
type head struct {
	version int64
	expires time.Time
	signed  time.Time // zero: not said
}

// unwrap reads a file of a role.
func unwrap(b []byte, role string, limit int64) (*envelope, error) {
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: %s has %d bytes, at most %d accepted", ErrFormat, role, len(b), limit)
	}
	o, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	e := &envelope{signatures: map[string][]byte{}}
	if e.signed, err = member[object](o, "signed"); err != nil {
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	if err = e.readSignatures(o); err == nil {
		err = e.readHead(role)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	e.message = canonical(nil, e.signed)
	return e, nil
}

func (e *envelope) readSignatures(o object) error {
	list, err := member[[]any](o, "signatures")
	if err != nil {
		return err
	}
	if len(list) > maxSignatures {
		return fmt.Errorf("%w: it has %d signatures, at most %d accepted", ErrFormat, len(list), maxSignatures)
	}
	for _, item := range list {
		s, ok := item.(object)
		if !ok {
			return fmt.Errorf("%w: one of its signatures is no object", ErrFormat)
		}
		id, err := member[string](s, "keyid")
		if err != nil {
			return err
		}
		text, err := member[string](s, "sig")
		if err != nil {
			return err
		}
		sig, err := hex.DecodeString(text)
		if err != nil {
			return fmt.Errorf("%w: one of its signatures is not in hexadecimal digits", ErrFormat)
		}
		if _, twice := e.signatures[id]; twice {
			return fmt.Errorf("%w: it has two signatures of key %q", ErrFormat, cut(id))
		}
		e.signatures[id] = sig
	}
	return nil
}

func (e *envelope) readHead(role string) error {
	kind, err := member[string](e.signed, "_type")
	if err != nil {
		return err
	}
	if kind != role {
		return fmt.Errorf("%w: it is of type %q", ErrFormat, cut(kind))
	}
	spec, err := member[string](e.signed, "spec_version")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(spec, "1.") {
		return fmt.Errorf("%w: it is made for version %q of the specification", ErrFormat, cut(spec))
	}
	if e.version, err = number(e.signed, "version", 1); err != nil {
		return err
	}
	if e.expires, err = moment(e.signed, "expires"); err != nil {
		return err
	}
	if _, said := e.signed[signedTime]; !said {
		return nil
	}
	if e.head.signed, err = moment(e.signed, signedTime); err == nil && e.head.signed.After(e.expires) {
		err = fmt.Errorf("%w: it was signed after its own end", ErrFormat)
	}
	return err
}

func moment(o object, name string) (time.Time, error) {
	text, err := member[string](o, name)
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%w: its %q is no time", ErrFormat, name)
	}
	return at.UTC(), nil
}

// file is what one role's metadata says of the next one's file. Length and SHA-256 may be missing.
type file struct {
	version int64
	length  int64 // bytes; 0: not said
	sum     string
}

// entry reads the files that timestamp and snapshot name.
func (e *envelope) entry(name string) (file, error) {
	meta, err := member[object](e.signed, "meta")
	if err != nil {
		return file{}, err
	}
	if len(meta) > maxFiles {
		return file{}, fmt.Errorf("%w: it names %d files, at most %d accepted", ErrFormat, len(meta), maxFiles)
	}
	o, err := member[object](meta, name)
	if err != nil {
		return file{}, err
	}
	var f file
	if f.version, err = number(o, "version", 1); err != nil {
		return f, err
	}
	if _, said := o["length"]; said {
		if f.length, err = number(o, "length", 1); err != nil {
			return f, err
		}
	}
	f.sum, err = sha256Of(o)
	return f, err
}

// sha256Of is the SHA-256 among a file's hashes, in lower-case hex; empty where there is none.
func sha256Of(o object) (string, error) {
	hashes, err := optional[object](o, "hashes")
	if err != nil || hashes == nil {
		return "", err
	}
	text, err := optional[string](hashes, "sha256")
	if err != nil || text == "" {
		return "", err
	}
	if raw, err := hex.DecodeString(text); err != nil || len(raw) != 32 {
		return "", fmt.Errorf("%w: %q is not a SHA-256", ErrFormat, cut(text))
	}
	return strings.ToLower(text), nil
}
