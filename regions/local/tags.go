package local

import (
	"slices"

	"go.etcd.io/bbolt"

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

// withTags hands the tags of a managed node or of a document of one's own to do; where do says so they are saved.
func (r *Region) withTags(in taggingInput, do func(tags []wire.Tag) (changed []wire.Tag, save bool, err error)) error {
	var k check
	k.required("resourceType", in.ResourceType)
	k.required("resourceId", in.ResourceId)
	k.tags("tags", in.Tags)
	if err := k.err(); err != nil {
		return err
	}
	missing := refuse("InvalidResourceId", "There is no %s %s.", in.ResourceType, in.ResourceId)
	return r.db.Update(func(tx *bbolt.Tx) error {
		switch in.ResourceType {
		case "ManagedInstance":
			n, err := present(tx, in.ResourceId)
			if err != nil {
				return missing
			}
			changed, must, err := do(n.Tags)
			if n.Tags = changed; err != nil || !must {
				return err
			}
			return save(tx, inNodes, n.ID, n)
		case "Document":
			d, ok, err := fetch[document](tx, inDocuments, in.ResourceId)
			if err != nil || !ok {
				return orNotFound(err, missing)
			}
			changed, must, err := do(d.Tags)
			if d.Tags = changed; err != nil || !must {
				return err
			}
			return save(tx, inDocuments, d.Name, d)
		}
		return refuse("InvalidResourceType", "The resource type %q isn't served here: use ManagedInstance or Document.", in.ResourceType)
	})
}

func addTagsToResource(c *call) (any, error) {
	var in taggingInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return struct{}{}, c.region.withTags(in, func(tags []wire.Tag) ([]wire.Tag, bool, error) {
		for _, t := range in.Tags {
			i := slices.IndexFunc(tags, func(old wire.Tag) bool { return old.Key == t.Key })
			if i < 0 {
				tags = append(tags, t)
			} else {
				tags[i] = t
			}
		}
		if len(tags) > tagsMost {
			return nil, false, refuse("TooManyTagsError", "A resource can have at most %d tags.", tagsMost)
		}
		return tags, true, nil
	})
}

func removeTagsFromResource(c *call) (any, error) {
	var in taggingInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return struct{}{}, c.region.withTags(in, func(tags []wire.Tag) ([]wire.Tag, bool, error) {
		return slices.DeleteFunc(tags, func(t wire.Tag) bool { return slices.Contains(in.TagKeys, t.Key) }), true, nil
	})
}

func listTagsForResource(c *call) (any, error) {
	var in taggingInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	out := struct{ TagList []wire.Tag }{[]wire.Tag{}}
	err := c.region.withTags(in, func(tags []wire.Tag) ([]wire.Tag, bool, error) {
		out.TagList = append(out.TagList, tags...)
		return tags, false, nil
	})
	return out, err
}
