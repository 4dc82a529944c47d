package identity

import (
	"context"
	"crypto/md5" //nolint:gosec // the original's form of a hardware hash, not a protection
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// source is one value of the hardware map that a program tells.
type source struct {
	key     string
	command []string
}

// sourceLimit is how long a program may take.
const sourceLimit = 10 * time.Second

// thisMachine looks at the machine the process runs on.
func thisMachine() prober {
	return prober{quick: quickHardware, full: fullHardware}
}

// quickHardware needs no programs.
func quickHardware() hardware {
	h := hardware{ipAddress: firstIPv4()}
	if id, ok := readHardwareID(); ok {
		h[hardwareID] = id
	}
	return h
}

// fullHardware asks every source, the programs all at once (docs/protocol/identity.md, "Fingerprint attributes").
func fullHardware(ctx context.Context) (hardware, error) {
	ctx, cancel := context.WithTimeout(ctx, sourceLimit)
	defer cancel()
	list := sources(ctx)
	values, late := make([]string, len(list)), make([]bool, len(list))
	var wait sync.WaitGroup
	for i, s := range list {
		wait.Add(1)
		go func() {
			defer wait.Done()
			values[i], late[i] = hashOf(ctx, s.command)
		}()
	}
	h := quickHardware()
	h["hostname-info"], _ = os.Hostname()
	h["macaddr-info"] = firstMAC()
	wait.Wait()
	var missing []string
	for i, s := range list {
		h[s.key] = values[i]
		if late[i] {
			missing = append(missing, s.key)
		}
	}
	if missing != nil {
		return h, fmt.Errorf("hardware values not available in time: %s", strings.Join(missing, ", "))
	}
	return h, nil
}

// hashOf is base64 of the MD5 of a program's output; empty when it fails.
func hashOf(ctx context.Context, command []string) (hash string, late bool) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // from the table of sources
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Is(ctx.Err(), context.DeadlineExceeded)
	}
	sum := md5.Sum(out) //nolint:gosec // see the import
	return base64.StdEncoding.EncodeToString(sum[:]), false
}

// firstIPv4 is the first address of an interface that is IPv4 and no loopback.
func firstIPv4() string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return ""
}

// firstMAC is the hardware address of the first interface that has one.
func firstMAC() string {
	interfaces, err := net.Interfaces()
	if err != nil {
		return ""
	}
	for _, i := range interfaces {
		if a := i.HardwareAddr.String(); a != "" {
			return a
		}
	}
	return ""
}
