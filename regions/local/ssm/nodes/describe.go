package nodes

import (
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// instanceShown is the SDK's type InstanceInformation.
type instanceShown struct {
	InstanceId       string
	PingStatus       string
	LastPingDateTime *wire.Epoch `json:",omitempty"`
	AgentVersion     string      `json:",omitempty"`
	IsLatestVersion  bool
	PlatformType     string `json:",omitempty"`
	PlatformName     string `json:",omitempty"`
	PlatformVersion  string `json:",omitempty"`
	ActivationId     string `json:",omitempty"`
	IamRole          string
	RegistrationDate wire.Epoch
	ResourceType     string
	Name             string `json:",omitempty"`
	IPAddress        string
	ComputerName     string
	SourceId         string `json:",omitempty"`
	SourceType       string `json:",omitempty"`
}

func (n Node) shown(now time.Time, latest string) instanceShown {
	s := instanceShown{InstanceId: n.ID, PingStatus: n.PingStatus(now), AgentVersion: n.Ping.AgentVersion,
		IsLatestVersion: latest != "" && n.Ping.AgentVersion == latest, PlatformType: n.Ping.PlatformType,
		PlatformName: n.Ping.PlatformName, PlatformVersion: n.Ping.PlatformVersion, ActivationId: n.ActivationID, IamRole: n.Role,
		RegistrationDate: wire.Epoch{Time: n.Registered}, ResourceType: "ManagedInstance", Name: n.Name, IPAddress: n.Ping.IPAddress,
		ComputerName: n.Ping.ComputerName, SourceId: n.ID, SourceType: "AWS::SSM::ManagedInstance"}
	if n.Edge {
		s.SourceType = "AWS::IoT::Thing"
	}
	if !n.LastPing.IsZero() {
		s.LastPingDateTime = &wire.Epoch{Time: n.LastPing}
	}
	return s
}

type instanceFilter struct {
	Key      string
	ValueSet []string // of the old kind of filter
	Values   []string // of the new one
}

func (f instanceFilter) values() []string { return append(slices.Clone(f.ValueSet), f.Values...) }

// matches tells whether a node has one of the values; ok is false for a key there isn't.
func (f instanceFilter) matches(n Node, s instanceShown) (match, ok bool) {
	has := func(value string) (bool, bool) { return slices.Contains(f.values(), value), true }
	switch f.Key {
	case "InstanceIds":
		return has(n.ID)
	case "AgentVersion":
		return has(s.AgentVersion)
	case "PingStatus":
		return has(s.PingStatus)
	case "PlatformTypes":
		return has(s.PlatformType)
	case "ActivationIds":
		return has(n.ActivationID)
	case "IamRole":
		return has(n.Role)
	case "ResourceType":
		return has(s.ResourceType)
	case "SourceIds":
		return has(s.SourceId)
	case "SourceTypes":
		return has(s.SourceType)
	case "AssociationStatus": // no associations here, so no node has one
		return false, true
	case "tag-key":
		return slices.ContainsFunc(n.Tags, func(t wire.Tag) bool { return slices.Contains(f.values(), t.Key) }), true
	}
	if key, isTag := strings.CutPrefix(f.Key, "tag:"); isTag {
		value, tagged := n.Tag(key)
		return tagged && slices.Contains(f.values(), value), true
	}
	return false, false
}

func (r *Registry) describeInstanceInformation(c *protocol.Call) (any, error) {
	var in struct {
		InstanceInformationFilterList []instanceFilter
		Filters                       []instanceFilter
		protocol.Paging
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	filters := append(in.InstanceInformationFilterList, in.Filters...)
	var k protocol.Check
	k.Number("maxResults", in.MaxResults, 5, 50)
	for _, f := range filters {
		k.Required("filters.member.key", f.Key)
		if n := len(f.values()); n < 1 || n > 100 {
			return nil, protocol.Refuse("InvalidInstanceInformationFilterValue", "The filter %s takes 1 to 100 values, not %d.", f.Key, n)
		}
		if _, ok := f.matches(Node{}, instanceShown{}); !ok {
			return nil, protocol.Refuse("InvalidFilterKey", "The filter key %q isn't valid.", f.Key)
		}
	}
	if err := k.Err(); err != nil {
		return nil, err
	}
	all, err := r.instancesShown(filters)
	if err != nil {
		return nil, err
	}
	some, next, err := protocol.Cut(in.Paging, all, 50, func(s instanceShown) string { return s.InstanceId })
	return struct {
		InstanceInformationList []instanceShown
		NextToken               string `json:",omitempty"`
	}{some, next}, err
}

func (r *Registry) instancesShown(filters []instanceFilter) (all []instanceShown, err error) {
	now, latest := r.now(), r.latest()
	err = r.records.View(func(tx *records.Tx) error {
		nodes, err := All(tx)
		for _, n := range nodes {
			s := n.shown(now, latest)
			if !slices.ContainsFunc(filters, func(f instanceFilter) bool { match, _ := f.matches(n, s); return !match }) {
				all = append(all, s)
			}
		}
		return err
	})
	return all, err
}
