package machine

import (
	"bufio"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// proxyOf is the proxy that is to be written down for the service: that of --proxy, or the shell's after a typed yes. Without either it
// is said that the service will not have the shell's.
func proxyOf(c *cli.Context, i setup.Installation) (*proxy.Address, error) {
	out := terminal.Of(c)
	if c.IsSet("proxy") {
		a, err := proxy.Parse(c.String("proxy"))
		if err != nil {
			return nil, terminal.Usage("--proxy: %v", err)
		}
		a.Use()
		return &a, nil
	}
	a, found := i.ProxyOfShell()
	if !found {
		return nil, nil
	}
	out.Step("the proxy %s is set in this shell only: the service will not use it", a.Redacted())
	if f, ok := out.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) && !out.JSON {
		out.Step("write it down for the service? Type yes, or anything else to go on without")
		answer, _ := bufio.NewReader(f).ReadString('\n')
		if strings.TrimSpace(answer) == "yes" {
			return &a, nil
		}
		return nil, nil
	}
	out.Step("--proxy URL writes it down for the service")
	return nil, nil
}
