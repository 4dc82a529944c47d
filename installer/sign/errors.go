package sign

import "errors"

// What can be wrong, when signing and when verifying.
var (
	// ErrKey says that a key or certificate cannot be read, or not be used for this.
	ErrKey = errors.New("the key cannot be used")
	// ErrPassphrase says that a key is locked and the passphrase is missing or wrong.
	ErrPassphrase = errors.New("the passphrase is missing or wrong")
	// ErrExpired says that a key or certificate is not valid now.
	ErrExpired = errors.New("the key is not valid at this time")
	// ErrCommand says that the signing command failed, or gave back something that is no signature by the key.
	ErrCommand = errors.New("the signing command failed")
	// ErrTimestamp says that a time-stamp server gave no good timestamp.
	ErrTimestamp = errors.New("the time-stamp server gave no timestamp")

	// ErrUnsigned says that a file has no signature, though one was asked for.
	ErrUnsigned = errors.New("it is not signed")
	// ErrBad says that a signature or digest does not belong to the bytes.
	ErrBad = errors.New("the signature does not match the file")
	// ErrUntrusted says that a signature is sound, but made by somebody that was not named.
	ErrUntrusted = errors.New("it is signed by somebody else")
)
