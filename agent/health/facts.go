package health

import (
	"context"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Facts are what a ping says of the machine; what could not be found out is empty and not sent.
type Facts struct {
	ComputerName    string
	IPAddress       string
	PlatformName    string
	PlatformVersion string
}

// ThisMachine returns a function that looks at the machine the process runs on. Its full name comes from a program that may
// hang on name servers: a ping gets it when it is there, else the plain host name.
func ThisMachine() func(context.Context) Facts {
	var name fullName
	return func(context.Context) Facts {
		f := Facts{ComputerName: name.get(), IPAddress: address()}
		f.PlatformName, f.PlatformVersion, _ = host.Platform() // not sent when the lookup fails
		return f
	}
}

// PlatformType is one of three words (docs/protocol/runcommand.md, "UpdateInstanceInformation").
func PlatformType() string {
	switch runtime.GOOS {
	case "windows":
		return "Windows"
	case "darwin":
		return "MacOS"
	}
	return "Linux"
}

// fullName remembers what the program said last and asks it anew each time, one at a time.
type fullName struct {
	mu    sync.Mutex
	known string
	busy  chan struct{} // closed when the present look-up ends; nil: none
}

// patience is how long a ping waits for the name.
const patience = 30 * time.Millisecond

func (n *fullName) get() string {
	n.mu.Lock()
	if n.busy == nil {
		n.busy = make(chan struct{})
		go n.lookUp(n.busy)
	}
	busy := n.busy
	n.mu.Unlock()
	select {
	case <-busy:
	case <-time.After(patience):
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known != "" {
		return n.known
	}
	plain, _ := os.Hostname()
	return plain
}

func (n *fullName) lookUp(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var name string
	if runtime.GOOS == "linux" {
		cmd := exec.CommandContext(ctx, "hostname", "--fqdn")
		cmd.WaitDelay = time.Second
		if out, err := cmd.Output(); err == nil {
			name = strings.TrimSpace(string(out))
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if name != "" {
		n.known = name
	}
	n.busy = nil
	close(done)
}

// address is an address of this machine that others may know: no link-local, IPv4 before IPv6, loopback where there is no other.
func address() string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	return addressOf(all)
}

func addressOf(all []net.Addr) string {
	six, loopback := "", ""
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if ok && n.IP.IsLoopback() && n.IP.To4() != nil && loopback == "" {
			loopback = n.IP.String()
		}
		if !ok || n.IP.IsLoopback() || n.IP.IsLinkLocalUnicast() {
			continue
		}
		if n.IP.To4() != nil {
			return n.IP.String()
		}
		if six == "" {
			six = n.IP.String()
		}
	}
	if six == "" {
		return loopback
	}
	return six
}
