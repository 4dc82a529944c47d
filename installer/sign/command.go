package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Command is a program that holds a key (an HSM, a KMS, a smart card), with its own arguments. It is run once a signature with
// three more: what for ("openpgp" or "x509"), the algorithm ("rsa-sha256": PKCS #1 v1.5; "ecdsa-sha256"), and the digest as
// hex; the digest's bytes are on its standard input. It prints the signature as base64: for RSA as long as the key, for ECDSA
// as ASN.1. What it prints on standard error is shown if it fails.
type Command []string

// held is a key behind a command.
type held struct {
	command Command
	purpose string
	public  crypto.PublicKey
}

// signer checks that a command could sign for this public key.
func (c Command) signer(purpose string, public crypto.PublicKey) (crypto.Signer, error) {
	switch public.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
	default:
		return nil, fmt.Errorf("%w: a command can sign with RSA and ECDSA keys, not with %T", ErrKey, public)
	}
	return &held{c, purpose, public}, nil
}

func (h *held) Public() crypto.PublicKey { return h.public }

// Sign runs the command and checks what it gives back. Errors: ErrCommand.
func (h *held) Sign(_ io.Reader, sum []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != crypto.SHA256 || len(sum) != crypto.SHA256.Size() {
		return nil, fmt.Errorf("%w: it is asked for SHA-256 only", ErrCommand)
	}
	if _, pss := opts.(*rsa.PSSOptions); pss {
		return nil, fmt.Errorf("%w: it is asked for PKCS #1 v1.5 only", ErrCommand)
	}
	algorithm := "rsa-sha256"
	if _, ok := h.public.(*ecdsa.PublicKey); ok {
		algorithm = "ecdsa-sha256"
	}
	args := append(h.command[1:len(h.command):len(h.command)], h.purpose, algorithm, hex.EncodeToString(sum))
	cmd := exec.Command(h.command[0], args...) //nolint:noctx // a crypto.Signer is given no context
	var out, words bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(sum), &out, &words
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w%s", ErrCommand, h.command[0], err, lastLine(words.String()))
	}
	sig, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(out.String()), ""))
	if err != nil {
		return nil, fmt.Errorf("%w: %s printed no base64", ErrCommand, h.command[0])
	}
	if !matches(h.public, sum, sig) {
		return nil, fmt.Errorf("%w: what %s printed is no signature by the key that was given", ErrCommand, h.command[0])
	}
	return sig, nil
}

// matches checks a signature of a SHA-256 digest.
func matches(public crypto.PublicKey, sum, sig []byte) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum, sig) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, sum, sig)
	}
	return false
}

// lastLine is a program's last line, cut.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if last == "" {
		return ""
	}
	return ": " + last[:min(len(last), 300)]
}
