package sign

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"hash"
	"strings"
)

// ReadKey reads a private key; errors: ErrKey, ErrPassphrase. See readKey.
func ReadKey(b []byte, passphrase string) (crypto.Signer, error) { return readKey(b, passphrase) }

// readKey reads a private key: PEM or DER, PKCS #8 (also encrypted, RFC 8018), PKCS #1 or SEC 1.
func readKey(b []byte, passphrase string) (crypto.Signer, error) {
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, fmt.Errorf("%w: this old form of encryption is not read; openssl pkcs8 -topk8 makes PKCS #8 of it", ErrKey)
		}
		return readDER(block.Bytes, passphrase)
	}
	return readDER(b, passphrase)
}

func readDER(der []byte, passphrase string) (crypto.Signer, error) {
	var outer encryptedKey
	if rest, err := asn1.Unmarshal(der, &outer); err == nil && len(rest) == 0 {
		if der, err = outer.open(passphrase); err != nil {
			return nil, err
		}
	}
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if s, ok := k.(crypto.Signer); ok {
			return s, nil
		}
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k, nil
	}
	return nil, fmt.Errorf("%w: this is no private key in PKCS #8, PKCS #1 or SEC 1", ErrKey)
}

// PKCS #8 under a passphrase: RFC 5208, RFC 8018 appendix A.
type (
	encryptedKey struct {
		Scheme struct {
			ID     asn1.ObjectIdentifier
			Params struct{ KDF, Cipher pkix.AlgorithmIdentifier }
		}
		Data []byte
	}
	pbkdf2Params struct {
		Salt   []byte
		Count  int
		Length int                      `asn1:"optional"`
		PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

const maxCount = 100_000_000 // a few seconds; more is no key but a trap

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
)

func (k encryptedKey) open(passphrase string) ([]byte, error) {
	var p pbkdf2Params
	if _, err := asn1.Unmarshal(k.Scheme.Params.KDF.Parameters.FullBytes, &p); err != nil || !k.Scheme.ID.Equal(oidPBES2) ||
		!k.Scheme.Params.KDF.Algorithm.Equal(oidPBKDF2) || p.Count < 1 || p.Count > maxCount {
		return nil, fmt.Errorf("%w: it is not encrypted with PBES2 and PBKDF2", ErrKey)
	}
	prf := map[string]func() hash.Hash{"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New,
		"1.2.840.113549.2.11": sha512.New}[p.PRF.Algorithm.String()]
	length := map[string]int{"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24,
		"2.16.840.1.101.3.4.1.42": 32}[k.Scheme.Params.Cipher.Algorithm.String()]
	var iv []byte
	if _, err := asn1.Unmarshal(k.Scheme.Params.Cipher.Parameters.FullBytes, &iv); err != nil || prf == nil || length == 0 ||
		len(iv) != aes.BlockSize || len(k.Data) == 0 || len(k.Data)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("%w: it is encrypted with something else than AES-CBC", ErrKey)
	}
	if passphrase == "" {
		return nil, fmt.Errorf("%w for the private key", ErrPassphrase)
	}
	secret, err := pbkdf2.Key(prf, passphrase, p.Salt, p.Count, length)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(k.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, k.Data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > aes.BlockSize || plain[0] != 0x30 {
		return nil, fmt.Errorf("%w for the private key", ErrPassphrase)
	}
	return plain[:len(plain)-pad], nil
}
