// Package ssm is the service ssm of a local region (target prefix AmazonSSM): the table of its operations, out of the rooms
// that do them, and the tags that several of them carry.
//
//	ssm/nodes      activations, registration, role tokens, pings
//	ssm/documents  documents and their versions
//	ssm/commands   commands and what nodes answer to them
//	ssm/parameters parameters and their versions
//
// Operations for people answer to the region's administrator alone; shapes, limits and error names are those of the AWS SDK's
// own types. Those for nodes follow docs/protocol/identity.md, "Wire formats and request signing"; docs/protocol/runcommand.md,
// "Health ping and hibernation". One more part – associations – is a room beside these and one line in [Service].
package ssm

import (
	"maps"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/commands"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/documents"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/parameters"
)

// Service is the row of ssm in the dispatch table.
func Service(gate *protocol.Gate, store *records.Store, n *nodes.Registry, d *documents.Repository, c *commands.Tracker,
	p *parameters.Parameters) protocol.Service {
	table := protocol.Operations{}
	for _, rows := range []protocol.Operations{
		n.Operations(),
		d.Operations(),
		c.Operations(),
		p.Operations(),
		tagging{store}.operations(),
	} {
		maps.Copy(table, rows)
	}
	return gate.JSON("ssm", "AmazonSSM", table)
}
