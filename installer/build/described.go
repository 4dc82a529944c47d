package build

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/pack/resource"
)

// described gives programs for Windows their version and manifest, in a folder of their own: given binaries are left as they
// are. It comes after linking and before signing; programs for other systems are never touched.
func described(in pack.Input, work string) (string, error) {
	if in.Platform.OS != "windows" || in.Bin == "" {
		return in.Bin, nil
	}
	return inOwnFolder(in.Bin, work, func(from, to string) error {
		fill := copyOf(from)
		if slices.Contains([]string{pack.Launcher, pack.Worker, pack.Setup, pack.Carrier}, strings.TrimSuffix(filepath.Base(from), ".exe")) {
			fill = withResources(in, from)
		}
		return writeFile(to, 0o755, fill)
	})
}

// inOwnFolder makes a folder of programs from the given one, file by file.
func inOwnFolder(bin, work string, each func(from, to string) error) (string, error) {
	dir, err := os.MkdirTemp(work, "programs-")
	if err != nil {
		return "", err
	}
	found, err := os.ReadDir(bin)
	if err != nil {
		return "", err
	}
	for _, e := range found {
		if !e.Type().IsRegular() {
			continue
		}
		from := filepath.Join(bin, e.Name())
		if err := each(from, filepath.Join(dir, e.Name())); err != nil {
			return "", fmt.Errorf("%s: %w", from, err)
		}
	}
	return dir, nil
}

func withResources(in pack.Input, path string) func(io.Writer) error {
	return func(w io.Writer) error {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return resource.Add(w, b, programInfo(in, filepath.Base(path)))
	}
}

// programInfo is what a program says about itself; its own name, not the product's, where it stands for more than the agent.
func programInfo(in pack.Input, file string) resource.Info {
	i := resource.Info{Text: in.Version.String(), File: file, Product: pack.ProductName, Company: pack.ProductMaker}
	for at, n := range in.Version.Parts() {
		i.Version[at] = uint16(min(n, 1<<16-1))
	}
	switch strings.TrimSuffix(file, ".exe") {
	case pack.Launcher:
		i.Description = "Starts the agent"
	case pack.Worker:
		i.Description = "The agent"
	case pack.Setup:
		i.Product, i.Description = pack.Setup, "Installs and looks after the agent"
	case pack.Carrier:
		i.Description, i.File, i.Elevated = "Installs the agent", "AmazonSSMAgentSetup.exe", true
	}
	return i
}
