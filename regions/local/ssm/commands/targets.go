package commands

import (
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/documents"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
)

// target selects nodes by ids or tags.
type target struct {
	Key    string
	Values []string
}

// chosen are the nodes a command goes to: those named, all of which must be there and fit the document, or those that
// every target selects.
func chosen(tx *records.Tx, in sendCommandInput, doc documents.Content) ([]nodes.Node, error) {
	if len(in.Targets) > 0 {
		return targeted(tx, in.Targets)
	}
	var list []nodes.Node
	for i, id := range in.InstanceIds {
		if slices.Contains(in.InstanceIds[:i], id) {
			return nil, protocol.Refuse("DuplicateInstanceId", "%s is named twice.", id)
		}
		n, err := nodes.Present(tx, id)
		if err != nil {
			return nil, err
		}
		if p := n.Ping.PlatformType; p != "" && len(doc.Platforms) > 0 && !slices.Contains(doc.Platforms, p) {
			return nil, protocol.Refuse("UnsupportedPlatformType", "The document isn't for %s, the platform of %s.", p, id)
		}
		list = append(list, n)
	}
	return list, nil
}

func targeted(tx *records.Tx, targets []target) ([]nodes.Node, error) {
	for _, t := range targets {
		if strings.EqualFold(t.Key, "InstanceIds") {
			for _, id := range t.Values {
				if _, err := nodes.Present(tx, id); err != nil {
					return nil, err
				}
			}
		} else if !strings.HasPrefix(t.Key, "tag:") && t.Key != "tag-key" {
			return nil, protocol.Refuse("ValidationException", "The target key %q isn't served here: use InstanceIds, tag:<key> or tag-key.", t.Key)
		}
	}
	all, err := nodes.All(tx)
	return slices.DeleteFunc(all, func(n nodes.Node) bool {
		return slices.ContainsFunc(targets, func(t target) bool { return !t.selects(n) })
	}), err
}

func (t target) selects(n nodes.Node) bool {
	if strings.EqualFold(t.Key, "InstanceIds") {
		return slices.Contains(t.Values, n.ID)
	}
	if t.Key == "tag-key" {
		return slices.ContainsFunc(t.Values, func(key string) bool { _, ok := n.Tag(key); return ok })
	}
	value, ok := n.Tag(strings.TrimPrefix(t.Key, "tag:"))
	return ok && slices.Contains(t.Values, value)
}
