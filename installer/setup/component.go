package setup

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// InstallFrom puts in the package that lies with others in a folder, under the update lock; nothing is fetched, recorded, set or
// started. It is how a Greengrass component installs. It returns the version that is installed then.
func (i Installation) InstallFrom(ctx context.Context, folder string, version manifests.Version) (manifests.Version, error) {
	way, err := PackagingOf(i.Layout)
	if err != nil {
		return version, err
	}
	current, err := PackageVersion(i.Layout)
	if err != nil {
		return current, err
	}
	file := filepath.Join(folder, way.loose)
	if !Exists(file) {
		return current, fmt.Errorf("the required file %s is missing in %s", way.loose, folder)
	}
	if err := CheckPrivileges(i.Layout); err != nil {
		return current, err
	}
	if i.System() && Exists(SnapAgent) {
		if err := removeSnap(ctx, 10*time.Second); err != nil {
			return current, err
		}
	}
	release, err := i.Lock()
	if err != nil {
		return current, err
	}
	defer release()
	if err := way.install(ctx, i.Layout, file, version, version.Less(current)); err != nil {
		return current, err
	}
	if current, err = PackageVersion(i.Layout); err != nil {
		return current, err
	}
	return current, store.Store{Paths: i.Pointer()}.MakeSlots(current.String())
}
