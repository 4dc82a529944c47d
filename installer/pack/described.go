package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/pack/resource"
)

// described gives programs for Windows their version and manifest, in a folder of their own: given binaries are left as they
// are. It comes after linking and before signing; programs for other systems are never touched.
func described(in Input, work string) (string, error) {
	if in.Platform.OS != "windows" || in.Bin == "" {
		return in.Bin, nil
	}
	return inOwnFolder(in.Bin, work, func(from, to string) error {
		fill := copyOf(from)
		if slices.Contains([]string{Launcher, Worker, Setup, Carrier}, strings.TrimSuffix(filepath.Base(from), ".exe")) {
			fill = withResources(in, from)
		}
		_, err := whole(to, 0o755, fill)
		return err
	})
}

// inOwnFolder makes a folder of programs from one of somebody else's, file by file.
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

func withResources(in Input, path string) func(io.Writer) error {
	return func(w io.Writer) error {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return resource.Add(w, b, programInfo(in, filepath.Base(path)))
	}
}

// programInfo is what a program says about itself; its own name, not the product's, where it stands for more than the agent.
func programInfo(in Input, file string) resource.Info {
	i := resource.Info{Text: in.Version.String(), File: file, Product: productName, Company: productMaker}
	for at, n := range in.Version.Parts() {
		i.Version[at] = uint16(min(n, 1<<16-1))
	}
	switch strings.TrimSuffix(file, ".exe") {
	case Launcher:
		i.Description = "Starts the agent"
	case Worker:
		i.Description = "The agent"
	case Setup:
		i.Product, i.Description = Setup, "Installs and looks after the agent"
	case Carrier:
		i.Description, i.File, i.Elevated = "Installs the agent", "AmazonSSMAgentSetup.exe", true
	}
	return i
}

// fileVersion is the version that a finished program states, with its language, as installers compare it. A program without
// one (signed before by somebody else) counts as of the package's version: it always replaces what is there.
func fileVersion(in Input, program []byte) (version, language string, err error) {
	v, n, err := resource.Read(bytes.NewReader(program))
	switch {
	case errors.Is(err, resource.ErrNone):
		return in.Version.String(), "1033", nil
	case err != nil:
		return "", "", err
	}
	return fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3]), fmt.Sprint(n), nil
}
