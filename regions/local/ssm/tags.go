package ssm

import (
	"slices"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/documents"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// tagsMost is how many tags a resource may carry.
const tagsMost = 50

type taggingInput struct {
	ResourceType string
	ResourceId   string
	Tags         []wire.Tag
	TagKeys      []string
}

// tagging is the part of ssm that changes tags of nodes and documents.
type tagging struct{ records *records.Store }

func (g tagging) operations() protocol.Operations {
	return protocol.Operations{
		"AddTagsToResource":      {Allow: protocol.Administrator, Run: g.addTagsToResource},
		"RemoveTagsFromResource": {Allow: protocol.Administrator, Run: g.removeTagsFromResource},
		"ListTagsForResource":    {Allow: protocol.Administrator, Run: g.listTagsForResource},
	}
}

// withTags hands the tags of a managed node or of an own document to change, and keeps what it returns where it says so.
func (g tagging) withTags(in taggingInput, change func([]wire.Tag) (tags []wire.Tag, keep bool, err error)) error {
	var k protocol.Check
	k.Required("resourceType", in.ResourceType)
	k.Required("resourceId", in.ResourceId)
	k.Tags("tags", in.Tags)
	if err := k.Err(); err != nil {
		return err
	}
	missing := protocol.Refuse("InvalidResourceId", "There is no %s %s.", in.ResourceType, in.ResourceId)
	return g.records.Update(func(tx *records.Tx) error {
		switch in.ResourceType {
		case "ManagedInstance":
			return nodes.ChangeTags(tx, in.ResourceId, missing, change)
		case "Document":
			return documents.ChangeTags(tx, in.ResourceId, missing, change)
		}
		return protocol.Refuse("InvalidResourceType", "The resource type %q isn't served here: use ManagedInstance or Document.", in.ResourceType)
	})
}

func (g tagging) addTagsToResource(c *protocol.Call) (any, error) {
	var in taggingInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return struct{}{}, g.withTags(in, func(tags []wire.Tag) ([]wire.Tag, bool, error) {
		for _, t := range in.Tags {
			i := slices.IndexFunc(tags, func(old wire.Tag) bool { return old.Key == t.Key })
			if i < 0 {
				tags = append(tags, t)
			} else {
				tags[i] = t
			}
		}
		if len(tags) > tagsMost {
			return nil, false, protocol.Refuse("TooManyTagsError", "A resource can have at most %d tags.", tagsMost)
		}
		return tags, true, nil
	})
}

func (g tagging) removeTagsFromResource(c *protocol.Call) (any, error) {
	var in taggingInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return struct{}{}, g.withTags(in, func(tags []wire.Tag) ([]wire.Tag, bool, error) {
		return slices.DeleteFunc(tags, func(t wire.Tag) bool { return slices.Contains(in.TagKeys, t.Key) }), true, nil
	})
}

func (g tagging) listTagsForResource(c *protocol.Call) (any, error) {
	var in taggingInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	out := struct{ TagList []wire.Tag }{[]wire.Tag{}}
	err := g.withTags(in, func(tags []wire.Tag) ([]wire.Tag, bool, error) {
		out.TagList = append(out.TagList, tags...)
		return tags, false, nil
	})
	return out, err
}
