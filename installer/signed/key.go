package signed

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os/exec"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Faults of keys.
var (
	ErrKey = fault.New(fault.Usage, "the key cannot be used",
		"keys are Ed25519 or ECDSA P-256, as PKCS #8 in PEM: ssm-setup keys add makes one, or openssl genpkey -algorithm ed25519")
	ErrPassphrase = fault.New(fault.Usage, "the passphrase is missing or wrong",
		"set it in the variable "+Passphrase+"; it is never an argument")
	ErrCommand = fault.New(fault.Other, "the command did not sign",
		"run it by hand with the same arguments; docs/trust.md says what it is given")
)

// Passphrase is the variable with the passphrase of secret files.
const Passphrase = "SSM_KEYS_PASSPHRASE" //nolint:gosec // the name of a variable

// Kinds of keys, as flags and keys.json name them.
const (
	Ed25519 = "ed25519"
	ECDSA   = "ecdsa-p256"
)

// Signer signs by one key.
type Signer interface {
	Public() crypto.PublicKey
	// Sign signs a message: Ed25519 the bytes themselves, ECDSA their SHA-256 (the signature as ASN.1).
	Sign(ctx context.Context, message []byte) ([]byte, error)
}

// IDOf is a key's id: the SHA-256 (hex) of its canonical form. [ErrKey] for kinds that no role takes.
func IDOf(public crypto.PublicKey) (string, error) {
	k, err := keyOf(public)
	if err != nil {
		return "", err
	}
	return k.ID()
}

func keyOf(public crypto.PublicKey) (*metadata.Key, error) {
	switch k := public.(type) {
	case ed25519.PublicKey:
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return nil, fmt.Errorf("%w: its curve is %s", ErrKey, k.Curve.Params().Name)
		}
	case *rsa.PublicKey:
		return nil, fmt.Errorf("%w: it is an RSA key", ErrKey)
	default:
		return nil, fmt.Errorf("%w: it is a %T", ErrKey, public)
	}
	return metadata.KeyFromPublicKey(public)
}

// Generate makes a new secret key of a kind.
func Generate(kind string) (crypto.Signer, error) {
	switch kind {
	case Ed25519:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case ECDSA:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("%w: %q is neither %s nor %s", ErrKey, kind, Ed25519, ECDSA)
}

// PublicPEM is a public key as PKIX in PEM.
func PublicPEM(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// ReadPublic reads a public key: PKIX in PEM.
func ReadPublic(b []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, fmt.Errorf("%w: this is no public key in PEM", ErrKey)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	_, err = keyOf(public)
	return public, err
}

// InMemory is a signer whose secret is here.
func InMemory(private crypto.Signer) (Signer, error) {
	if _, err := keyOf(private.Public()); err != nil {
		return nil, err
	}
	return memory{private}, nil
}

type memory struct{ private crypto.Signer }

func (m memory) Public() crypto.PublicKey { return m.private.Public() }

func (m memory) Sign(_ context.Context, message []byte) ([]byte, error) {
	if _, ok := m.private.(ed25519.PrivateKey); ok {
		return m.private.Sign(rand.Reader, message, crypto.Hash(0))
	}
	sum := sha256.Sum256(message)
	return m.private.Sign(rand.Reader, sum[:], crypto.SHA256)
}

// Command is a program that holds a key (an HSM, a KMS, a smart card), with its own arguments. It is run with more of them:
//
//	CMD tuf public                    prints the public key as PEM
//	CMD tuf ecdsa-sha256 DIGEST       has the SHA-256 on standard input (DIGEST is the same as hex), prints the signature as base64 of ASN.1
//	CMD tuf ed25519 -                 has the message itself on standard input, prints the signature as base64
//
// What it prints on standard error is shown if it fails.
type Command []string

func (c Command) run(ctx context.Context, in []byte, args ...string) ([]byte, error) {
	if len(c) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrCommand)
	}
	cmd := exec.CommandContext(ctx, c[0], append(c[1:len(c):len(c)], args...)...)
	var out, words bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &words
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w%s", ErrCommand, c[0], err, lastLine(words.String()))
	}
	return out.Bytes(), nil
}

// PublicKey asks the command for its public key.
func (c Command) PublicKey(ctx context.Context) (crypto.PublicKey, error) {
	out, err := c.run(ctx, nil, "tuf", "public")
	if err != nil {
		return nil, err
	}
	public, err := ReadPublic(out)
	if err != nil {
		return nil, fmt.Errorf("what %s printed: %w", c[0], err)
	}
	return public, nil
}

// By is a signer whose secret is behind the command.
func (c Command) By(public crypto.PublicKey) Signer { return held{c, public} }

type held struct {
	command Command
	public  crypto.PublicKey
}

func (h held) Public() crypto.PublicKey { return h.public }

func (h held) Sign(ctx context.Context, message []byte) ([]byte, error) {
	in, args := message, []string{"tuf", "ed25519", "-"}
	if _, ok := h.public.(*ecdsa.PublicKey); ok {
		sum := sha256.Sum256(message)
		in, args = sum[:], []string{"tuf", "ecdsa-sha256", hex.EncodeToString(sum[:])}
	}
	out, err := h.command.run(ctx, in, args...)
	if err != nil {
		return nil, err
	}
	sig, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(out)), ""))
	if err != nil {
		return nil, fmt.Errorf("%w: %s printed no base64", ErrCommand, h.command[0])
	}
	return sig, nil
}

// Matches tells whether a signature of a message is by a key.
func Matches(public crypto.PublicKey, message, sig []byte) bool {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return len(k) == ed25519.PublicKeySize && ed25519.Verify(k, message, sig)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(k, sum[:], sig)
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
