//go:build !(windows && arm64)

package sign

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/sassoftware/relic/v7/lib/authenticode"
	"github.com/sassoftware/relic/v7/lib/certloader"
	"github.com/sassoftware/relic/v7/lib/comdoc"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
)

// What Windows shows of a signed program.
const (
	description = "SSM Agent"
	homepage    = "https://github.com/ssm-setup/ssm-setup"
)

// Authenticode signs a program or MSI in place; a signature that is there already is replaced. When it fails, the file may be
// half signed: give it a file that is not in use yet.
func (s *Signer) Authenticode(ctx context.Context, path string) error {
	if !s.Windows() {
		return fmt.Errorf("%w: there is no certificate for code signing", ErrKey)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 8)
	if _, err := f.ReadAt(head, 0); err != nil {
		return fmt.Errorf("cannot tell what this is: %w", err)
	}
	switch {
	case Program.Is(head):
		err = s.program(ctx, f)
	case MSI.Is(head):
		err = s.msi(ctx, f)
	default:
		err = fmt.Errorf("it is neither a Windows program nor an MSI")
	}
	if err != nil {
		return err
	}
	return f.Sync()
}

func (s *Signer) program(ctx context.Context, f *os.File) error {
	sum, err := authenticode.DigestPE(f, digest, false)
	if err != nil {
		return err
	}
	patch, _, err := sum.Sign(ctx, s.pair(), &authenticode.OpusParams{Description: description, URL: homepage})
	if err != nil {
		return err
	}
	return patch.Apply(f, f.Name())
}

// msi signs streams and their metadata (the extended signature). The library adds its streams wherever there is room; a container
// of our writer is written anew by that, so that no place is left which the signature does not cover.
func (s *Signer) msi(ctx context.Context, f *os.File) error {
	ours, err := cfb.Exact(f)
	if err != nil {
		return err
	}
	if err := s.insert(ctx, f); err != nil || !ours {
		return err
	}
	var b bytes.Buffer
	if err := cfb.Rewrite(&b, f); err != nil {
		return err
	}
	if _, err := f.WriteAt(b.Bytes(), 0); err != nil {
		return err
	}
	return f.Truncate(int64(b.Len()))
}

func (s *Signer) insert(ctx context.Context, f *os.File) error {
	doc, err := comdoc.WriteFile(f)
	if err != nil {
		return err
	}
	extended, err := authenticode.PrehashMSI(doc, digest)
	if err != nil {
		return err
	}
	sum, _, err := authenticode.DigestMSI(doc, digest, true)
	if err != nil {
		return err
	}
	sig, err := authenticode.SignMSIImprint(ctx, sum, digest, s.pair(),
		&authenticode.OpusParams{Description: description, URL: homepage})
	if err != nil {
		return err
	}
	if err := authenticode.InsertMSISignature(doc, sig.Raw, extended); err != nil {
		return err
	}
	return doc.Close()
}

// pair is the certificate as the library wants it.
func (s *Signer) pair() *certloader.Certificate {
	return &certloader.Certificate{Leaf: s.windows.leaf, Certificates: s.windows.chain, PrivateKey: s.windows.key, Timestamper: s.stamper()}
}
