package plugins

// Machine is what actions and the scripts they start may know of this host. Empty: unknown.
type Machine struct {
	Root              string `json:"root,omitempty"` // installation root, "" the system
	InstanceID        string `json:"instance_id,omitempty"`
	Region            string `json:"region,omitempty"`
	PlatformType      string `json:"platform_type,omitempty"` // linux, windows, macos; empty: this system's
	PlatformName      string `json:"platform_name,omitempty"`
	PlatformVersion   string `json:"platform_version,omitempty"`
	Profile           string `json:"profile,omitempty"`            // AWS_PROFILE for scripts, when credentials are shared
	SharedCredentials string `json:"shared_credentials,omitempty"` // AWS_SHARED_CREDENTIALS_FILE, likewise
	DataStore         string `json:"data_store,omitempty"`         // <state>/<short instance id>
}
