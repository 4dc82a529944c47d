package sign

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
)

// lockCount is how often PBKDF2 turns a passphrase around in keys that are written here.
const lockCount = 600_000

// WriteKey is a private key as PKCS #8 in PEM, under a passphrase where one is given (PBES2: PBKDF2 with SHA-256, AES-256-CBC, RFC 8018):
// ReadKey and openssl read it.
func WriteKey(private crypto.Signer, passphrase string) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if passphrase == "" {
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	}
	salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
	rand.Read(salt)
	rand.Read(iv)
	secret, err := pbkdf2.Key(sha256.New, passphrase, salt, lockCount, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	pad := aes.BlockSize - len(der)%aes.BlockSize
	der = append(der, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(der, der)
	locked, err := locking(salt, iv, der)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: locked}), nil
}

// locking is the structure around encrypted bytes.
func locking(salt, iv, data []byte) ([]byte, error) {
	kdf, err := asn1.Marshal(pbkdf2Params{Salt: salt, Count: lockCount,
		PRF: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, Parameters: asn1.NullRawValue}})
	if err != nil {
		return nil, err
	}
	vector, err := asn1.Marshal(iv)
	if err != nil {
		return nil, err
	}
	k := encryptedKey{Data: data}
	k.Scheme.ID = oidPBES2
	k.Scheme.Params.KDF = pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: asn1.RawValue{FullBytes: kdf}}
	k.Scheme.Params.Cipher = pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42},
		Parameters: asn1.RawValue{FullBytes: vector}}
	return asn1.Marshal(k)
}
