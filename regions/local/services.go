package local

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local/logs"
	"github.com/ssm-setup/ssm-setup/regions/local/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/local/messages"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/s3"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/commands"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/documents"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/parameters"
	"github.com/ssm-setup/ssm-setup/regions/local/ssmmessages"
	"github.com/ssm-setup/ssm-setup/regions/local/sts"
)

// table is the dispatch table: the first service that claims a request answers it. One more service is one more row.
func (r *Region) table(gate *protocol.Gate) []protocol.Service {
	return []protocol.Service{
		ssm.Service(gate, r.records, r.nodes, r.documents, r.commands, r.parameters),
		r.messages.Service(gate),
		r.channels.Service(),
		sts.Service(gate, r.nodes.Role),
		r.logs.Service(gate),
		gate.Unknown(),
		r.buckets.Service(gate),
	}
}

// openServices opens the parts that services are made of, and the table.
func (r *Region) openServices() (err error) {
	if r.keys, err = protocol.OpenKeys(r.records, r.now, r.faults.tokenLife); err != nil {
		return err
	}
	if r.buckets, err = s3.Open(r.name, r.records, r.now, filepath.Join(r.data, "objects"), !r.noSync); err != nil {
		return err
	}
	if r.mail, err = mailbox.Open(r.records, r.now); err != nil {
		return err
	}
	if r.nodes, err = nodes.Open(r.records, r.now, r.keys, r.latestVersion); err != nil {
		return err
	}
	if r.documents, err = documents.Open(r.records, r.now, r.URL); err != nil {
		return err
	}
	if r.parameters, err = parameters.Open(r.name, r.records, r.now); err != nil {
		return err
	}
	if r.logs, err = logs.Open(r.name, r.records, r.now); err != nil {
		return err
	}
	if r.commands, err = commands.Open(r.records, r.now, r.documents, r.mail, r.objectURL); err != nil {
		return err
	}
	r.messages = messages.New(r.records, r.mail, r.commands)
	gate := &protocol.Gate{Region: r.name, Now: r.now, Signing: r.clock.signing, Keys: r.keys, NodeKey: r.nodes.Key, Log: r.log}
	r.channels = ssmmessages.New(ssmmessages.Options{Gate: gate, Records: r.records, Mail: r.mail, Commands: r.commands, Frame: r.sawFrame,
		Log: r.log})
	r.services = r.table(gate)
	return nil
}

// objectURL is the address of an object of a bucket, "" where there is none.
func (r *Region) objectURL(bucket, key string) string {
	if !r.buckets.Has(bucket, key) {
		return ""
	}
	return r.URL() + (&url.URL{Path: "/" + bucket + "/" + key}).EscapedPath()
}

// latestVersion is the newest version of the agent that the region's bucket names, "" without one.
func (r *Region) latestVersion() string {
	text, err := r.Get(regions.LatestVersionKey)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Operations are the names a service answers to: "ssm", "ec2messages", "ssmmessages", "sts", "logs" or "s3".
func (r *Region) Operations(service string) []string {
	for _, s := range r.services {
		if s.Name == service {
			return s.Operations
		}
	}
	return nil
}
