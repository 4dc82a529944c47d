package sign

import (
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// What can be wrong, when signing and when verifying.
var (
	// ErrKey says that a key or certificate cannot be read, or not be used for this.
	ErrKey = fault.New(fault.Usage, "the key cannot be used",
		"OpenPGP keys are read armored or not, private keys as PKCS #8, certificates as PEM or DER")
	// ErrPassphrase says that a key is locked and the passphrase is missing or wrong.
	ErrPassphrase = fault.New(fault.Usage, "the passphrase is missing or wrong",
		"put the right one into the variable SSM_SIGN_PASSPHRASE, or for the OpenPGP key alone into SSM_SIGN_PGP_PASSPHRASE")
	// ErrExpired says that a key or certificate is not valid now.
	ErrExpired = fault.New(fault.Refused, "the key is not valid at this time",
		"use a key that is valid now; nothing was signed with it")
	// ErrCommand says that the signing command failed, or gave back something that is no signature by the key.
	ErrCommand = fault.New(fault.Other, "the signing command failed",
		"it is run as CMD openpgp|x509 rsa-sha256|ecdsa-sha256 DIGEST, with the digest's bytes on standard input, and has to print base64")
	// ErrTimestamp says that a time-stamp server gave no good timestamp.
	ErrTimestamp = fault.New(fault.Other, "the time-stamp server gave no timestamp",
		"run it again, or name another server with --timestamp-url")

	// ErrUnsigned says that a file has no signature, though one was asked for.
	ErrUnsigned = fault.New(fault.Verify, "it is not signed",
		"do not use it, unless you know where it comes from by other means")
	// ErrBad says that a signature or digest does not belong to the bytes.
	ErrBad = fault.New(fault.Verify, "the signature does not match the file",
		"the file is damaged or was changed: fetch it again, and do not use this one")
	// ErrUntrusted says that a signature is sound, but made with a key that was not named.
	ErrUntrusted = fault.New(fault.Verify, "it is signed by another party",
		"name the key with --key or the certificate of the authority with --ca, if you trust them")
)
