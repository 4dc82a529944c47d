//go:build !(windows && arm64)

package sign

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"debug/pe"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/sassoftware/relic/v7/lib/authenticode"
	"github.com/sassoftware/relic/v7/signers/sigerrors"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// program checks the signatures of a Windows program.
func program(f *File) error {
	table, err := findSignatures(f)
	if err != nil {
		return err
	}
	list, err := authenticode.VerifyPE(f.file, false)
	if errors.As(err, &sigerrors.NotSignedError{}) {
		return nil
	}
	_, unstamped := stamp.Find(f.Bytes())
	f.own = unstamped == nil
	if err == nil {
		err = f.signatureTable(table)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	for _, s := range list {
		if err := f.chained("Authenticode", "the program", s.TimestampedSignature, x509.ExtKeyUsageCodeSigning); err != nil {
			return err
		}
	}
	return nil
}

// signatures is where a program has its signatures, and its checksum: neither is covered by a digest.
type signatures struct {
	from, size int64
	checksum   int64 // offset of the field
}

// findSignatures refuses a program whose place for signatures lies outside of it.
func findSignatures(f *File) (s signatures, err error) {
	p, err := pe.NewFile(f.file)
	if err != nil {
		return s, fmt.Errorf("%w: %w", ErrBad, err)
	}
	defer func() { _ = p.Close() }()
	var dir []pe.DataDirectory
	switch h := p.OptionalHeader.(type) {
	case *pe.OptionalHeader32:
		dir = h.DataDirectory[:min(h.NumberOfRvaAndSizes, 16)]
	case *pe.OptionalHeader64:
		dir = h.DataDirectory[:min(h.NumberOfRvaAndSizes, 16)]
	}
	head := make([]byte, 64)
	if _, err := f.file.ReadAt(head, 0); err != nil {
		return s, err
	}
	const signature, fileHeader, checksum = 4, 20, 64
	s.checksum = int64(binary.LittleEndian.Uint32(head[60:])) + signature + fileHeader + checksum
	if len(dir) > pe.IMAGE_DIRECTORY_ENTRY_SECURITY {
		d := dir[pe.IMAGE_DIRECTORY_ENTRY_SECURITY]
		if s.from, s.size = int64(d.VirtualAddress), int64(d.Size); s.from+s.size > f.size {
			return s, fmt.Errorf("%w: its end is missing", ErrBad)
		}
	}
	return s, nil
}

// signatureTable refuses what hides between a program's signatures: they are read whole, and every byte beside them is zero. The
// checksum of the header must be the file's, or zero.
func (f *File) signatureTable(s signatures) error {
	if s.size > maxHeader {
		return fmt.Errorf("signatures of %d bytes", s.size)
	}
	b := make([]byte, s.size)
	if _, err := f.file.ReadAt(b, s.from); err != nil {
		return err
	}
	const head, revision, kind, align = 8, 0x0200, 2, 8
	for le := binary.LittleEndian; len(b) > 0; {
		if len(b) < head || int64(le.Uint32(b)) > int64(len(b)) || le.Uint32(b) < head || le.Uint16(b[4:]) != revision ||
			le.Uint16(b[6:]) != kind {
			return errors.New("its signatures are in no known form")
		}
		n := int(le.Uint32(b))
		var der asn1.RawValue
		rest, err := asn1.Unmarshal(b[head:n], &der)
		if err != nil {
			return err
		}
		end := min(len(b), (n+align-1)/align*align)
		if len(bytes.Trim(rest, "\x00")) > 0 || len(bytes.Trim(b[n:end], "\x00")) > 0 {
			return errors.New("something else lies behind a signature")
		}
		b = b[end:]
	}
	stated, sum, err := f.checksum(s.checksum)
	if err != nil || stated == 0 || stated == sum {
		return err
	}
	f.uncovered(4)
	if f.own {
		return errors.New("the checksum in its header is another one")
	}
	return nil
}

// checksum is a program's checksum as it stands and as it should be: the sum of all 16-bit words but its own, folded, and the size.
func (f *File) checksum(at int64) (stated, sum uint32, err error) {
	r := bufio.NewReaderSize(f.Bytes(), 1<<16)
	var word [2]byte
	for pos := int64(0); pos < f.size; pos += 2 {
		n, err := io.ReadFull(r, word[:])
		if err != nil && n == 0 {
			return 0, 0, err
		}
		if n == 1 {
			word[1] = 0
		}
		w := uint32(word[0]) | uint32(word[1])<<8
		if pos == at || pos == at+2 {
			stated |= w << (8 * (pos - at))
			continue
		}
		sum += w
		sum = sum&0xFFFF + sum>>16
	}
	return stated, sum + uint32(f.size), nil
}

// msi checks the signature of an MSI.
func msi(f *File) error {
	c, err := cfb.Open(f.file, f.size) // the library that digests it trusts what it reads
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	slack, err := c.Check()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	if slack.Behind > 0 {
		return fmt.Errorf("%w: %d bytes lie behind the container", ErrBad, slack.Behind)
	}
	if f.own, err = madeHere(c); err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	if f.own && slack.Written > 0 {
		return fmt.Errorf("%w: %d bytes are in places that ssm-setup build leaves empty", ErrBad, slack.Written)
	}
	s, err := authenticode.VerifyMSI(f.file, false)
	if errors.As(err, &sigerrors.NotSignedError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	f.uncovered(slack.Written)
	return f.chained("Authenticode", "the MSI", s.TimestampedSignature, x509.ExtKeyUsageCodeSigning)
}

// madeHere tells whether an MSI's summary names the program that makes ours. The signature covers the summary.
func madeHere(c *cfb.File) (bool, error) {
	const summary = "\x05SummaryInformation"
	if c.Size(summary) < 0 {
		return false, nil
	}
	b, err := c.Stream(summary)
	return bytes.Contains(b, []byte("\x00"+Maker+"\x00")), err
}
