package logs

import (
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

const groupsMost = 1000

func containsAny(s, chars string) bool { return strings.ContainsAny(s, chars) }

// nameOf is the name in an identifier, which may be an ARN.
func (l *Logs) nameOf(name, identifier string) string {
	if name != "" || identifier == "" {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(identifier, l.arn("")), ":*")
}

func (l *Logs) createGroup(c *protocol.Call) (any, error) {
	var in struct {
		LogGroupName, KmsKeyId, LogGroupClass string
		Tags                                  map[string]string
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	checkGroup(&k, in.LogGroupName)
	k.OneOf("logGroupClass", in.LogGroupClass, "STANDARD")
	if in.KmsKeyId != "" {
		k.Fail("kmsKeyId", "'"+in.KmsKeyId+"'", "Member must be null: this region has no keys")
	}
	k.Most("tags", len(in.Tags), 50)
	if err := k.Err(); err != nil {
		return nil, invalid(err)
	}
	return nil, l.records.Update(func(tx *records.Tx) error {
		if records.Has(tx, groupsTable, in.LogGroupName) {
			return protocol.Refuse("ResourceAlreadyExistsException", "The specified log group already exists")
		}
		if records.Count(tx, groupsTable) >= groupsMost {
			return protocol.Refuse("LimitExceededException", "This region keeps at most %d log groups.", groupsMost)
		}
		if err := records.Make(tx, records.Part(streamsTable, in.LogGroupName)); err != nil {
			return err
		}
		return records.Save(tx, groupsTable, in.LogGroupName, group{Name: in.LogGroupName, Created: l.now(), Tags: in.Tags})
	})
}

func (l *Logs) deleteGroup(c *protocol.Call) (any, error) {
	var in struct{ LogGroupName string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return nil, l.records.Update(func(tx *records.Tx) error {
		_, streams, err := groupOf(tx, in.LogGroupName)
		if err != nil {
			return err
		}
		for _, name := range records.Keys(tx, streams, "") {
			if err := dropStream(tx, streams, name); err != nil {
				return err
			}
		}
		if err := records.Drop(tx, streams); err != nil {
			return err
		}
		return records.Remove(tx, groupsTable, in.LogGroupName)
	})
}

// shownGroup is the SDK's type LogGroup.
type shownGroup struct {
	Name      string `json:"logGroupName"`
	Created   int64  `json:"creationTime"`
	Retention int    `json:"retentionInDays,omitempty"`
	Metrics   int    `json:"metricFilterCount"`
	ARN       string `json:"arn"`
	GroupARN  string `json:"logGroupArn"`
	Bytes     int64  `json:"storedBytes"`
	Class     string `json:"logGroupClass"`
}

func (l *Logs) describeGroups(c *protocol.Call) (any, error) {
	var in struct {
		LogGroupNamePrefix, LogGroupNamePattern, LogGroupClass, NextToken string
		Limit                                                             *int
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	k.Number("limit", in.Limit, 1, 50)
	k.OneOf("logGroupClass", in.LogGroupClass, "STANDARD", "INFREQUENT_ACCESS", "DELIVERY")
	if in.LogGroupNamePrefix != "" && in.LogGroupNamePattern != "" {
		k.Fail("logGroupNamePattern", "'"+in.LogGroupNamePattern+"'", "Member must be null beside logGroupNamePrefix")
	}
	if err := k.Err(); err != nil {
		return nil, invalid(err)
	}
	var all []shownGroup
	err := l.records.View(func(tx *records.Tx) error {
		return records.Each(tx, groupsTable, in.LogGroupNamePrefix, func(name string, g group) bool {
			if strings.Contains(strings.ToLower(name), strings.ToLower(in.LogGroupNamePattern)) {
				all = append(all, shownGroup{Name: name, Created: millis(g.Created), Retention: g.Retention, ARN: l.arn(name) + ":*",
					GroupARN: l.arn(name), Bytes: groupBytes(tx, records.Part(streamsTable, name)), Class: "STANDARD"})
			}
			return false
		})
	})
	if err != nil {
		return nil, err
	}
	var out struct {
		Groups []shownGroup `json:"logGroups"`
		Next   string       `json:"nextToken,omitempty"`
	}
	out.Groups, out.Next, err = protocol.Cut(protocol.Paging{MaxResults: in.Limit, NextToken: in.NextToken}, all, 50,
		func(g shownGroup) string { return g.Name })
	return out, invalid(err)
}

func groupBytes(tx *records.Tx, streams string) (sum int64) {
	_ = records.Each(tx, streams, "", func(_ string, s stream) bool { sum += s.Bytes; return false })
	return sum
}

// retentionDays are the days that the service takes.
func retentionDays() []int {
	return []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

func (l *Logs) putRetention(c *protocol.Call) (any, error) {
	var in struct {
		LogGroupName    string
		RetentionInDays int
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if !slices.Contains(retentionDays(), in.RetentionInDays) {
		return nil, protocol.Refuse("InvalidParameterException", "The retention must be one of %d days.", retentionDays())
	}
	return nil, l.setRetention(in.LogGroupName, in.RetentionInDays)
}

func (l *Logs) deleteRetention(c *protocol.Call) (any, error) {
	var in struct{ LogGroupName string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return nil, l.setRetention(in.LogGroupName, 0)
}

func (l *Logs) setRetention(name string, days int) error {
	return l.records.Update(func(tx *records.Tx) error {
		g, _, err := groupOf(tx, name)
		if err != nil {
			return err
		}
		g.Retention = days
		return records.Save(tx, groupsTable, name, g)
	})
}

func (l *Logs) listTags(c *protocol.Call) (any, error) {
	var in struct{ ResourceArn string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	out := struct {
		Tags map[string]string `json:"tags"`
	}{map[string]string{}}
	return &out, l.records.View(func(tx *records.Tx) error {
		g, _, err := groupOf(tx, l.nameOf("", in.ResourceArn))
		if g.Tags != nil {
			out.Tags = g.Tags
		}
		return err
	})
}
