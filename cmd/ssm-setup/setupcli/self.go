package setupcli

import (
	"errors"
	"runtime"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// errSelf is the original's.
var errSelf = errors.New("error while verifying installed ssm-setup-cli checksum: checksum mismatch with latest ssm-setup-cli. " +
	"Please retry after downloading latest ssm-setup-cli")

// checkSelf compares this program with what the region published under its version. The original compares itself with the
// newest one, so every copy stops working with the next release (docs/protocol/update.md, "On-premises flow"); this one goes on, but a copy
// that is not what was published is refused.
func (s *run) checkSelf(m *manifests.Manifest) error {
	p := pack.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}
	listing, err := m.Listing(pack.SetupPackage, p.Executable(pack.SetupPackage+"-"+p.OS+"-"+p.Arch))
	if err != nil {
		s.log.info("the region lists no ssm-setup-cli to compare this program with")
		return nil
	}
	entry, ok := listing.Find(manifests.MustVersion(stamp.Version()))
	if !ok {
		s.log.info("the region does not list ssm-setup-cli %s; this program is used as it is", stamp.Version())
		return nil
	}
	sum, err := entry.Sum()
	if err != nil {
		return err
	}
	if err := bucket.CheckFile(s.self, sum); errors.Is(err, bucket.ErrChecksum) {
		return errSelf
	} else if err != nil {
		return err
	}
	s.log.info("this program is the ssm-setup-cli %s that the region published", stamp.Version())
	return nil
}
