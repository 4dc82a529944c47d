package main

import (
	"crypto/sha256"
	"encoding/hex"
)

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
