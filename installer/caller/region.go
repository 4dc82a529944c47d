package caller

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// ErrNoRegion says that no region is known.
var ErrNoRegion = fault.New(fault.Usage, "--region is missing",
	"add --region R, or set AWS_REGION; settings, instance metadata, a mirror and an installed agent were looked at, and none names a region")

// metadataPatience is how long instance metadata may take to answer: on most machines that have none, nothing answers at all.
const metadataPatience = time.Second

// Finders are what else may know the region. Each may be nil.
type Finders struct {
	Metadata  func(ctx context.Context) (string, error) // the instance's own, as EC2 tells it
	Carried   func(ctx context.Context) (regions.Carried, error)
	Installed func() string // that of the agent which is installed
}

// Region is the region of a command, and by what it was chosen: the flag, AWS_REGION, AWS_DEFAULT_REGION, the settings, instance metadata,
// the only region of the mirror that packages come from, the region of what is installed. Upper case is forgiven. What cannot be asked
// is passed over. [ErrNoRegion] where none knows one.
func (c Caller) Region(ctx context.Context, flag string, f Finders) (Value, error) {
	v := first(Value{flag, "flag --region"}.orNone(), c.env("AWS_REGION"), c.env("AWS_DEFAULT_REGION"))
	if v.Text == "" {
		var err error
		if v, err = c.from(func(s Settings) string { return s.Region }); err != nil {
			return Value{}, err
		}
	}
	for _, find := range []func() Value{func() Value { return c.metadata(ctx, f) }, func() Value { return carried(ctx, f) },
		func() Value { return installed(f) }} {
		if v.Text == "" {
			v = find()
		}
	}
	if v.Text == "" {
		return Value{}, ErrNoRegion
	}
	v.Text = regions.Forgive(v.Text)
	return v, nil
}

func (c Caller) metadata(ctx context.Context, f Finders) Value {
	if f.Metadata == nil || strings.EqualFold(c.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		return Value{}
	}
	ctx, cancel := context.WithTimeout(ctx, metadataPatience)
	defer cancel()
	name, err := f.Metadata(ctx)
	if err != nil || regions.Check(name) != nil {
		return Value{}
	}
	return Value{name, "instance metadata"}
}

func carried(ctx context.Context, f Finders) Value {
	if f.Carried == nil {
		return Value{}
	}
	c, err := f.Carried(ctx)
	if list := slices.Compact(slices.Sorted(slices.Values(c.Regions))); err == nil && len(list) == 1 {
		return Value{list[0], "the mirror's only region"}
	}
	return Value{}
}

func installed(f Finders) Value {
	if f.Installed == nil {
		return Value{}
	}
	return Value{f.Installed(), "the installed agent's region"}.orNone()
}
