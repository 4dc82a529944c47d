package describe

// What builds: an address that names the kind of build, not a place.
const (
	builder   = project + "/ssm-setup-build"
	buildType = project + "/build/v1"
)

type statement struct {
	Type          string         `json:"_type"`
	Subject       []resource     `json:"subject"`
	PredicateType string         `json:"predicateType"`
	Predicate     slsaProvenance `json:"predicate"`
}

// resource is a thing with its hash: an artifact, or what it was built from.
type resource struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
}

type slsaProvenance struct {
	Definition struct {
		BuildType    string            `json:"buildType"`
		External     map[string]any    `json:"externalParameters"`
		Internal     map[string]string `json:"internalParameters"`
		Dependencies []resource        `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	Run struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
	} `json:"runDetails"`
}

// provenance says how a platform's artifacts came to be. It names no machine and no hour: those differ each time, and say
// nothing that can be checked.
func provenance(s subject) ([]byte, error) {
	st := statement{Type: "https://in-toto.io/Statement/v1", PredicateType: "https://slsa.dev/provenance/v1"}
	for _, a := range s.artifacts {
		st.Subject = append(st.Subject, resource{Name: a.name, Digest: map[string]string{"sha256": a.sha256}})
	}
	d := &st.Predicate.Definition
	d.BuildType = buildType
	d.External = map[string]any{"version": s.Version, "platform": s.platform.String(), "SOURCE_DATE_EPOCH": s.Time.Unix()}
	d.Internal = settings(s.programs)
	d.Dependencies = append(d.Dependencies, s.Origin.resource()...)
	if s.Origin.Given != "" {
		d.External["SOURCE_COMMIT"] = s.Origin.Given // what was said, not what was checked
	}
	for _, m := range all(s.programs) {
		r := resource{URI: m.reference()}
		if h := m.hash(); h != "" {
			r.Digest = map[string]string{"dirHash1": h}
		}
		d.Dependencies = append(d.Dependencies, r)
	}
	st.Predicate.Run.Builder.ID = builder
	return indented(st)
}

// resource is the source, where anything is known about it: a commit that every compiled file is in, and the repository it was taken
// from, which may be a fork.
func (o Origin) resource() []resource {
	r := resource{Name: "source"}
	if o.Remote != "" {
		r.URI = "git+" + o.Remote
	}
	if o.Commit != "" {
		r.Digest = map[string]string{"gitCommit": o.Commit}
		if r.URI != "" {
			r.URI += "@" + o.Commit
		}
	}
	if r.Digest == nil {
		return nil
	}
	return []resource{r}
}
