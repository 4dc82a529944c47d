package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// looseNames are the packages of Amazon's own agent that lie beside its archives, by system (docs/protocol/update.md, "Bucket layout").
func looseNames(os string) map[string]string { // name by the platform's word in the folder
	switch os {
	case "linux":
		return map[string]string{"ubuntu": "amazon-ssm-agent.deb", "linux": "amazon-ssm-agent.rpm"}
	case "windows":
		return map[string]string{"windows": "AmazonSSMAgentSetup.exe"}
	case "darwin":
		return map[string]string{"darwin": "amazon-ssm-agent.pkg"}
	}
	return nil
}

// looseFolders are the folders of one version with such a package, for the platforms of a manifest's files: "debian_amd64" → its name.
// A manifest that lists packages of ours has none: those lie there already.
func looseFolders(own *manifests.Manifest) map[string]string {
	folders := map[string]string{}
	for _, p := range own.Packages {
		for _, f := range p.Files {
			format, platform, ok := pack.Of(f.Name)
			if ok && format.Repository != "" {
				return nil
			}
			for word, name := range looseNames(platform.OS) {
				folders[manifests.Folder(word, platform.Arch)] = name
			}
		}
	}
	return folders
}

// copyLoose takes the packages of Amazon's own agent that no manifest lists, with their detached signatures: what installs one of them
// checks that. What the mirror has stays. dir is for what is fetched.
func (c copier) copyLoose(ctx context.Context, own *manifests.Manifest, v manifests.Version, latest bool, dir string) error {
	folders := looseFolders(own)
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		name := folder + "/" + folders[folder]
		err := c.loosePackage(ctx, v.String()+"/"+name, filepath.Join(dir, "loose-"+folder))
		if notThere(err) {
			continue // for another system, or a release without it
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, end := range dist.Signatures {
			if err := c.copyObject(ctx, v.String()+"/"+name+end); err != nil {
				return err
			}
		}
		for _, end := range append([]string{""}, dist.Signatures...) {
			if err := c.latestLoose(ctx, v.String()+"/"+name+end, "latest/"+name+end, latest, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// loosePackage fetches one package that the mirror does not have.
func (c copier) loosePackage(ctx context.Context, key, path string) error {
	have, err := c.to.Stat(ctx, key)
	if err == nil {
		c.report(Step{Key: key, Action: Same, Size: have.Size}, 0)
		return nil
	}
	if !target.IsAbsent(err) {
		return err
	}
	progress, got := c.o.fetched.file(0)
	if err := c.from.FetchUnlisted(ctx, key, path, progress); err != nil {
		return err
	}
	got()
	return c.writeFile(ctx, key, path, New)
}

// writeFile writes a file from this machine.
func (c copier) writeFile(ctx context.Context, key, path, action string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	sum, err := host.SHA256(f)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if !c.o.DryRun {
		if err := c.to.Write(ctx, key, f, sum, target.When{Absent: action == New}); err != nil {
			return err
		}
	}
	c.report(Step{Key: key, Action: action, Size: info.Size()}, 0)
	return nil
}

// latestLoose makes latest/ what the mirror's latest version has.
func (c copier) latestLoose(ctx context.Context, from, key string, latest bool, dir string) error {
	src, err := c.to.Stat(ctx, from)
	if !latest || target.IsAbsent(err) { // a dry run, or no signature
		return nil
	}
	if err != nil {
		return err
	}
	action := Replaced
	switch now, err := c.to.Stat(ctx, key); {
	case target.IsAbsent(err):
		action = New
	case err != nil:
		return err
	case now == src:
		action = Same
	}
	step := Step{Key: key, Action: action, Size: src.Size}
	if action != Same && !c.o.DryRun {
		err := c.to.Copy(ctx, c.to, from, key, src.SHA256, target.When{})
		if errors.Is(err, target.ErrUncopied) {
			path := filepath.Join(dir, "latest-"+filepath.Base(key))
			if err := target.CopyOut(ctx, c.to, from, path); err != nil {
				return err
			}
			return c.writeFile(ctx, key, path, Replaced)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		step.CopyOf = from
	}
	c.report(step, 0)
	return nil
}

// Carry writes at the root of a mirror which regions it carries, for a web server shows no list of its folders. A run for another
// region may come between: then it is written anew.
func Carry(ctx context.Context, root string) error {
	to := target.Folder(root)
	for {
		c, err := regions.CarriedBy(root)
		if err != nil {
			return err
		}
		text := c.Encode()
		if have, _, err := target.ReadLimited(ctx, to, regions.CarriedKey, maxSmall); err == nil && bytes.Equal(have, text) {
			return nil
		}
		if err := to.Write(ctx, regions.CarriedKey, bytes.NewReader(text), host.SHA256Bytes(text), target.When{}); err != nil {
			return fmt.Errorf("%s: %w", regions.CarriedKey, err)
		}
	}
}
