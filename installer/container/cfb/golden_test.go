package cfb_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
)

// The bytes of a file are the same for ever, on any machine.
func TestTheBytesOfAFileNeverChange(t *testing.T) {
	b := write(t, cfb.Bytes("small", noise(1, 100)), cfb.Bytes("\x05SummaryInformation", noise(2, 4095)), cfb.Bytes("large", noise(3, 10000)),
		cfb.Bytes("empty", nil))
	sum := sha256.Sum256(b)
	if got, want := hex.EncodeToString(sum[:]), "16313686c30b82acae8709d519dd84427011de981e85e716372dc6cdbc2095e4"; got != want {
		t.Errorf("%d bytes, %s", len(b), got)
	}
}
