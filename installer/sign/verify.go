package sign

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
)

// Trusted is what a verification trusts.
type Trusted struct {
	Keys  openpgp.EntityList // for deb, rpm, .sig and SHA256SUMS; empty: none was named
	Roots *x509.CertPool     // for exe, msi and pkg; nil: the roots of this system, and unknown ones are no error
	Now   time.Time
}

// Strict tells whether a signer was named, so that a file has to have a signature.
func (t Trusted) Strict() bool { return len(t.Keys) > 0 || t.Roots != nil }

// ReadKeys adds the OpenPGP keys of a file. Errors: ErrKey.
func (t *Trusted) ReadKeys(b []byte) error {
	ring, err := readRing(b)
	t.Keys = append(t.Keys, ring...)
	return err
}

// Private tells whether any of the OpenPGP keys is more than a public one.
func (t *Trusted) Private() bool {
	return slices.ContainsFunc(t.Keys, func(e *openpgp.Entity) bool {
		return e.PrivateKey != nil || slices.ContainsFunc(e.Subkeys, func(s openpgp.Subkey) bool { return s.PrivateKey != nil })
	})
}

// ReadRoots adds the certificates of a file. Errors: ErrKey.
func (t *Trusted) ReadRoots(b []byte) error {
	list, err := readCertificates(b)
	if err != nil {
		return err
	}
	if t.Roots == nil {
		t.Roots = x509.NewCertPool()
	}
	for _, c := range list {
		t.Roots.AddCert(c)
	}
	return nil
}

// Trust is how far a signature is to be believed.
type Trust string

// How far, from the most to the least.
const (
	ByKey      Trust = "key"            // made by a key that was named
	ByCA       Trust = "ca"             // its chain leads to a certificate that was named
	BySystem   Trust = "system"         // its chain leads to a root of this system
	Integrity  Trust = "integrity only" // it fits the bytes; who made it is not known here
	NotChecked Trust = "not checked"    // without the key nothing can be said
	Unsigned   Trust = "unsigned"
)

// Signature is one signature of a file.
type Signature struct {
	Kind      string    `json:"kind"`             // "OpenPGP", "Authenticode", "CMS", "RSA"
	Of        string    `json:"of"`               // what it covers, for people
	By        string    `json:"by"`               // owner of the key, or its id
	Key       string    `json:"key"`              // fingerprint or id of the OpenPGP key, SHA-256 of the certificate; hex
	Issuer    string    `json:"issuer,omitempty"` // of the certificate
	Made      time.Time `json:"made,omitzero"`    // as the signer says
	Stamped   time.Time `json:"stamped,omitzero"` // as a time-stamp server says
	StampedBy string    `json:"stamped_by,omitempty"`
	Trust     Trust     `json:"trust"`
	Chain     []string  `json:"chain,omitempty"` // subjects, leaf first
	Note      string    `json:"note,omitempty"`

	loose int64 // bytes of it that no digest covers
}

// Report is what was found about one file.
type Report struct {
	File       string      `json:"file"`
	Kind       string      `json:"kind"` // deb, rpm, exe, msi, pkg, sig, sums, other
	Signatures []Signature `json:"signatures"`
	Trust      Trust       `json:"trust"` // of the least believed signature that is needed
	Note       string      `json:"note,omitempty"`
}

// Verify checks the signatures of a file: its own, and FILE.sig if that is there. With a file FILE.sig, it checks FILE with
// it; with SHA256SUMS also the files it lists that lie beside it. Errors: ErrUnsigned (only if t is strict), ErrBad,
// ErrUntrusted, ErrExpired; the report then says how far it came.
func Verify(path string, t Trusted, kinds []Kind) (r Report, err error) {
	defer func() { // hostile files may find an index out of range in a library
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: it cannot be read", ErrBad)
		}
	}()
	r = Report{File: path, Signatures: []Signature{}}
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return r, err
	}
	if !info.Mode().IsRegular() {
		return r, fmt.Errorf("%w: it is not a regular file", ErrBad)
	}
	kind := kindOf(path, f, kinds)
	r.Kind = kind.Name
	file := &File{file: f, path: path, size: info.Size(), Trusted: t, report: &r}
	err = kind.Check(file)
	counts := r.Signatures
	if kind.Name != signatureKind {
		counts, err = withBeside(path, t, &r, err)
	}
	r.Trust = least(counts)
	for _, s := range r.Signatures {
		file.loose += s.loose
	}
	if err == nil {
		err = file.settle()
	}
	if err == nil && len(r.Signatures) == 0 && t.Strict() {
		err = ErrUnsigned
	}
	return r, err
}

// Content says how a kind of file is told by its first bytes, and how its own signatures are checked.
type Content struct {
	Is    func(head []byte) bool // of the first 8 bytes
	Check func(*File) error      // ErrBad, ErrUntrusted, ErrExpired; a file without signatures is none
}

// Kind is a kind of file with the word for it in a [Report].
type Kind struct {
	Name string
	Content
}

// What packages hold, by the way they are signed.
var (
	Deb     = Content{starts("!<arch>\n"), deb}        // an ar archive with OpenPGP signatures as members
	RPM     = Content{starts("\xed\xab\xee\xdb"), rpm} // OpenPGP signatures in front of the header
	Program = Content{starts("MZ"), program}           // Authenticode in a program for Windows
	MSI     = Content{cfb.Is, msi}                     // Authenticode in a compound file
	Pkg     = Content{starts("xar!"), pkg}             // RSA and CMS over a table of contents
)

// File is one file while it is verified: what a [Content] checks.
type File struct {
	Trusted
	file   *os.File
	path   string
	size   int64
	report *Report

	own          bool  // it is a package of ours
	slack, loose int64 // bytes that no signature covers: of the file, and in its signatures
}

// Bytes are the file's content and its length.
func (f *File) Bytes() *io.SectionReader { return io.NewSectionReader(f.file, 0, f.size) }

// Maker is the program that packages of ours name as the one that made them. In those, what no signature covers must be as it was
// made; in others it is reported.
const Maker = "ssm-setup"

// uncovered counts bytes of a signed file that are not empty and that no signature covers.
func (f *File) uncovered(n int64) { f.slack += n }

func (f *File) add(s Signature) { f.report.Signatures = append(f.report.Signatures, s) }

// Words for the files that are no package.
const (
	signatureKind = "sig"
	sumsKind      = "sums"
	otherKind     = "other"
)

func kindOf(path string, r io.ReaderAt, kinds []Kind) Kind {
	switch name := filepath.Base(path); {
	case strings.HasSuffix(name, ".sig"):
		return Kind{signatureKind, Content{Check: detached}}
	case name == "SHA256SUMS":
		return Kind{sumsKind, Content{Check: sums}}
	}
	head := make([]byte, 8)
	n, _ := r.ReadAt(head, 0)
	for _, k := range kinds {
		if k.Is(head[:n]) {
			return k
		}
	}
	return Kind{otherKind, Content{Check: func(*File) error { return nil }}}
}

func starts(magic string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) }
}

// withBeside adds FILE.sig to what a file's own signatures came to (own: their error). Each covers all of the file, so one by a signer who
// was named is enough where the other needs what was not named: a key for FILE.sig, an authority for the file's own. counts are those
// that the trust rests on.
func withBeside(path string, t Trusted, r *Report, own error) (counts []Signature, err error) {
	n := len(r.Signatures)
	if own != nil && (!errors.Is(own, ErrUntrusted) || len(t.Keys) == 0) {
		return r.Signatures, own
	}
	err = beside(path, t, r)
	switch added := r.Signatures[n:]; {
	case own != nil && err == nil && len(added) > 0 && added[0].Trust == ByKey:
		return added, nil
	case own != nil:
		return r.Signatures, own
	case errors.Is(err, ErrUntrusted) && len(t.Keys) == 0 && n > 0:
		return r.Signatures[:n], nil
	}
	return r.Signatures, err
}

// beside checks path with path.sig, if that is there.
func beside(path string, t Trusted, r *Report) error {
	info, err := os.Stat(path + ".sig")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSignature {
		return fmt.Errorf("%w: what lies beside it is no signature", ErrBad)
	}
	sig, err := os.ReadFile(path + ".sig")
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := t.detached(f, sig, filepath.Base(path)+".sig")
	r.Signatures = append(r.Signatures, s)
	return err
}

// detached is a file that is a signature.
func detached(f *File) error {
	err := beside(strings.TrimSuffix(f.path, ".sig"), f.Trusted, f.report)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the file it belongs to must lie beside it: %w", err)
	}
	return err
}

// least is the weakest trust of some signatures.
func least(list []Signature) Trust {
	order := []Trust{Unsigned, NotChecked, Integrity, BySystem, ByCA, ByKey}
	for _, t := range order {
		for _, s := range list {
			if s.Trust == t {
				return t
			}
		}
	}
	return Unsigned
}
