package flags

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/authority"
	"github.com/ssm-setup/ssm-setup/installer/caller"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Region is --region of a command that works with one region; what is what it is used for.
func Region(what string) cli.Flag {
	return &cli.StringFlag{Name: "region", Usage: what + "; default that of AWS_REGION, the settings, this instance or the mirror " +
		"(see ssm-setup config)"}
}

// Source is --source.
func Source() cli.Flag {
	return &cli.StringFlag{Name: "source", Usage: "where packages come from: `PLACE` is an address with {Region}, s3://bucket/prefix, a " +
		"mirror's address, or a folder; default SSM_SETUP_SOURCE, the settings, else Amazon's own bucket of the region"}
}

// Endpoint is --endpoint; of names the service.
func Endpoint(of string) cli.Flag {
	return &cli.StringFlag{Name: "endpoint", Usage: "`URL` of " + of + ", where that is not AWS's; that of a local region serves " +
		"packages, too"}
}

// Unknown is --allow-unknown-region.
func Unknown() cli.Flag {
	return &cli.BoolFlag{Name: "allow-unknown-region", Usage: "accept a region name that is not in the table"}
}

// Place is where a command finds a region: its packages, and its services.
type Place struct {
	Region   string
	Source   regions.Source
	Endpoint string // address that stands in for the region's services; empty: AWS's own

	// Of a local region that the caller runs: shared credentials file of its administrator, and, where it is reached over TLS, the file of
	// its certificate authority, which this process believes alone from then on; else empty.
	Credentials, CA string

	// What Region, Source and Endpoint were chosen by, see caller.Value; empty: nothing, so they are AWS's own.
	RegionOrigin, SourceOrigin, EndpointOrigin string
}

// Base is the address of the region's bucket.
func (p Place) Base() (string, error) { return p.Source.Base(p.Region, p.Endpoint) }

// NewBase is Base, where the addresses are given now: those that are plain http to another machine are refused unless that is allowed.
func (p Place) NewBase(allowInsecure bool) (string, error) {
	if err := errors.Join(p.Source.CheckNew(allowInsecure), regions.CheckNew(p.Endpoint, allowInsecure)); err != nil {
		return "", err
	}
	return p.Base()
}

// Needs says what a command wants of a place.
type Needs struct {
	Services  bool          // it talks to the region's services, not to its bucket only
	Installed func() string // region of the installed agent; nil: it does not count
	Folder    bool          // it writes to a place that is named by itself: a region's services are not needed
	// Reached tells that the services' address is known already, from the host's settings.
	Reached bool
}

// PlaceOf reads --region, --source, --endpoint and --allow-unknown-region, and what counts where they are left out. Flags that the command
// does not have are left out, too.
func PlaceOf(c *cli.Context, n Needs) (Place, error) {
	who := caller.Here()
	source, _, err := addressFlags(c)
	if err != nil {
		return Place{}, err
	}
	region, err := who.Region(c.Context, c.String("region"), finders(who, source, n))
	if err != nil {
		return Place{}, terminal.Cannot("understand", "the command line", err)
	}
	return placeIn(c, who, region, n)
}

// Regions is --region of a command that works with several.
func Regions(what string) cli.Flag {
	return &cli.StringSliceFlag{Name: "region", Usage: what + "; may be given several times; default as for one: AWS_REGION, the settings, " +
		"this instance or the mirror"}
}

// PlacesOf is [PlaceOf] for each --region that [Regions] names, each once.
func PlacesOf(c *cli.Context, n Needs) (list []Place, err error) {
	who := caller.Here()
	source, _, err := addressFlags(c)
	if err != nil {
		return nil, err
	}
	chosen := named(c.StringSlice("region"))
	if len(chosen) == 0 {
		one, err := who.Region(c.Context, "", finders(who, source, n))
		if err != nil {
			return nil, terminal.Cannot("understand", "the command line", err)
		}
		chosen = append(chosen, one)
	}
	return placesIn(c, who, chosen, n)
}

// PlacesIn is [PlaceOf] for each of the regions that are named, each once.
func PlacesIn(c *cli.Context, names []string, n Needs) ([]Place, error) {
	return placesIn(c, caller.Here(), named(names), n)
}

func named(names []string) (list []caller.Value) {
	for _, name := range names {
		list = append(list, caller.Value{Text: regions.Forgive(name), Origin: "flag --region"})
	}
	return list
}

func placesIn(c *cli.Context, who caller.Caller, chosen []caller.Value, n Needs) (list []Place, err error) {
	own := "" // the region that has an authority of its own
	for _, region := range chosen {
		p, err := placeIn(c, who, region, n)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(list, func(have Place) bool { return have.Region == p.Region }) {
			list = append(list, p)
		}
		if p.CA != "" {
			own = p.Region
		}
	}
	if own != "" && len(list) > 1 {
		return nil, terminal.Usage("region %s is reached over TLS with an authority of its own, which no other region has", own).
			WithHint("run the command for " + own + " alone, and for the others without it")
	}
	return list, nil
}

func placeIn(c *cli.Context, who caller.Caller, region caller.Value, n Needs) (p Place, err error) {
	source, endpoint, err := addressFlags(c)
	if err != nil {
		return p, err
	}
	p.Region, p.RegionOrigin = region.Text, region.Origin
	if p.Endpoint = endpoint; endpoint != "" {
		p.EndpointOrigin = "flag --endpoint"
	} else if err := p.findLocal(who, source != "" || n.Folder || n.Reached); err != nil {
		return p, err
	}
	var chosen caller.Value
	if p.Source, chosen, err = who.Source(source, p.local()); err != nil {
		return p, terminal.Cannot("use", "the source of packages", err)
	}
	p.SourceOrigin = chosen.Origin
	vouched := p.Endpoint != "" || n.Reached || (source != "" || n.Folder) && !n.Services
	if err := CheckRegion(p.Region, vouched, c.Bool("allow-unknown-region")); err != nil {
		return p, err
	}
	return p, p.checkMeaning(n)
}

// addressFlags are --source and --endpoint. An --endpoint that is a folder was a mirror before there was --source; no service is one.
func addressFlags(c *cli.Context) (source, endpoint string, err error) {
	source, endpoint = c.String("source"), strings.TrimSpace(c.String("endpoint"))
	if !isFolder(endpoint) {
		return source, endpoint, nil
	}
	if source != "" {
		return "", "", terminal.Usage("--endpoint %s is a folder, and --source is given", endpoint).
			WithHint("--endpoint is the address of the service only")
	}
	return endpoint, "", nil
}

func isFolder(text string) bool {
	if strings.HasPrefix(text, "file://") {
		return true
	}
	info, err := os.Stat(text)
	return text != "" && !strings.Contains(text, "://") && err == nil && info.IsDir()
}

// finders are what may know the region.
func finders(who caller.Caller, source string, n Needs) caller.Finders {
	carried := func(ctx context.Context) (regions.Carried, error) {
		s, _, err := who.Source(source, false)
		if err != nil {
			return regions.Carried{}, err
		}
		return CarriedBy(ctx, s)
	}
	return caller.Finders{Metadata: caller.InstanceRegion, Installed: n.Installed, Carried: carried}
}

// CarriedBy are the regions that a mirror says it carries.
func CarriedBy(ctx context.Context, s regions.Source) (regions.Carried, error) {
	if dir, ok := s.Directory(); ok {
		return regions.CarriedBy(dir)
	}
	if s.Kind() != regions.Mirror {
		return regions.Carried{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	text, err := bucket.New(bucket.Options{Base: s.String(), Retries: -1}).Small(ctx, regions.CarriedKey, 64<<10)
	if err != nil {
		return regions.Carried{}, err
	}
	return regions.ParseCarried(text)
}

// findLocal finds a region of the caller's own by its file. optional: the command can do without.
func (p *Place) findLocal(who caller.Caller, optional bool) error {
	if p.Region != regions.Local && regions.Known(p.Region) {
		return nil // one of AWS's; a local region of that name is named by its address
	}
	r, err := who.Running(p.Region)
	none := errors.Is(err, caller.ErrNotRunning)
	switch {
	case err == nil:
		p.Endpoint, p.Credentials = r.Endpoint, r.Credentials
		if r.OverTLS() {
			p.CA = r.CA
			authority.Use(r.CA)
		}
		p.EndpointOrigin = fmt.Sprintf("local region of process %d", r.PID)
		return nil
	case optional, none && p.Region != regions.Local:
		return nil
	}
	return terminal.Cannot("find", "region "+p.Region, err)
}

// local tells whether the place is a region that serves its packages itself: not one of AWS's, or one on this machine.
func (p Place) local() bool {
	aws := p.Region != regions.Local && regions.Known(p.Region)
	return p.Endpoint != "" && (!aws || regions.OnThisMachine(regions.WithScheme(p.Endpoint)))
}

// checkMeaning refuses an --endpoint of which it is not clear whether packages are to come from there: before there was --source, both
// were meant.
func (p Place) checkMeaning(n Needs) error {
	if !n.Services || p.Endpoint == "" || !p.Source.IsZero() || p.local() {
		return nil
	}
	return terminal.Cannot("use", "--endpoint "+fault.Redact(p.Endpoint), errors.New("it is the address of the service only, and it is not "+
		"said where packages come from")).WithKind(fault.Usage).
		WithHint("a mirror is named by --source " + fault.Word(fault.Redact(p.Endpoint)) + " instead; Amazon's own packages by --source " +
			"'https://s3.{Region}.{DnsSuffix}/amazon-ssm-{Region}' beside --endpoint")
}
