package fleet

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/credentials"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/regions"
)

// NodesCommand is the command nodes.
func NodesCommand() *cli.Command {
	return &cli.Command{
		Name:  "nodes",
		Usage: "show the hosts of a region with version, last ping and last update",
		Description: "Asks the region's service with the caller's AWS credentials, which need ssm:DescribeInstanceInformation, and " +
			"ssm:ListCommandInvocations for the last update. With --watch it shows them again and again.",
		Flags: []cli.Flag{
			flags.Region("region whose hosts are shown"), flags.Endpoint("the region's service"), flags.Unknown(),
			&cli.StringFlag{Name: "profile", Usage: "profile of the shared AWS files"},
			&cli.BoolFlag{Name: "watch", Usage: "show them again and again until interrupted"},
			flags.Insecure(),
		},
		Action: showNodes,
	}
}

func showNodes(c *cli.Context) error {
	out := terminal.Of(c)
	p, err := flags.PlaceOf(c, flags.Needs{Services: true})
	if err != nil {
		return err
	}
	region := p.Region
	if err := regions.CheckNew(p.Endpoint, c.Bool("allow-insecure")); err != nil {
		return terminal.Cannot("ask", "region "+region, err)
	}
	ssm, err := client(c.Context, p, c.String("profile"))
	if err != nil {
		return terminal.Cannot("ask", "region "+region, err)
	}
	look := func(ctx context.Context) (any, string, error) {
		nodes, err := Nodes(ctx, ssm)
		if err != nil {
			return nil, "", terminal.Cannot("list", "the hosts of region "+region, err)
		}
		return map[string]any{"region": region, "nodes": nodes}, table(out, region, nodes), nil
	}
	if c.Bool("watch") {
		return out.Watch(c.Context, 2*time.Second, look)
	}
	data, text, err := look(c.Context)
	if err != nil {
		return err
	}
	out.Result(data, "%s", text)
	return nil
}

// client calls the region's service as the caller.
func client(ctx context.Context, p flags.Place, profile string) (*cloud.Client, error) {
	region := p.Region
	found, err := credentials.Find(ctx, region, p.Credentials, profile)
	if err != nil {
		return nil, err
	}
	address, err := cloud.Endpoint(cloud.SSM().Name, region, regions.Domain(region), p.Endpoint)
	if err != nil {
		return nil, err
	}
	http, err := cloud.HTTP()
	if err != nil {
		return nil, err
	}
	return cloud.New(cloud.Options{HTTP: http, Region: region, Endpoint: address, Service: cloud.SSM().Name, Target: cloud.SSM().Target,
		UserAgent: cloud.UserAgent("ssm-setup", stamp.Version()), Credentials: found, Timeout: time.Minute}), nil
}

func table(out *terminal.Printer, region string, nodes []Node) string {
	if len(nodes) == 0 {
		return "no host is registered in region " + region
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "NODE\tVERSION\tLAST PING\tLAST UPDATE\tPLATFORM\tNAME\tPING\n")
	for _, n := range nodes {
		update := "-"
		if n.LastUpdate != nil {
			update = n.LastUpdate.Status + ", " + terminal.Ago(n.LastUpdate.At)
		}
		ping := out.Good(n.Ping)
		if n.Ping != "Online" {
			ping = out.Bad(n.Ping)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", n.ID, n.Version, terminal.Ago(n.Pinged), update, strings.TrimSpace(n.Platform),
			terminal.Dash(n.Name), ping)
	}
	w.Flush()
	return b.String()
}
