package ledger

import (
	"fmt"
	"net/url"
)

// Trust says why an update believed its source.
type Trust struct {
	By     string `json:"by"`               // root, tls, folder, http
	Root   int64  `json:"root,omitempty"`   // number of the root that vouched for it
	SHA256 string `json:"sha256,omitempty"` // of that root's file
}

// What a source is believed by, in [Trust].By.
const (
	ByRoot   = "root"   // signed, and verified by the host's root
	ByTLS    = "tls"    // https: the server that its certificate names
	ByFolder = "folder" // a folder of this machine
	ByHTTP   = "http"   // nothing: plain http
)

// TrustOf is the trust in a bucket's address, where root is the number of the root that verified it, 0 for none.
func TrustOf(root int64, sha256, base string) Trust {
	if root > 0 {
		return Trust{By: ByRoot, Root: root, SHA256: sha256}
	}
	u, err := url.Parse(base)
	switch {
	case err == nil && u.Scheme == "https":
		return Trust{By: ByTLS}
	case err == nil && u.Scheme == "file":
		return Trust{By: ByFolder}
	}
	return Trust{By: ByHTTP}
}

// String is one line for people.
func (t Trust) String() string {
	switch t.By {
	case ByRoot:
		return fmt.Sprintf("signed, verified by root %d (%.12s)", t.Root, t.SHA256)
	case ByTLS:
		return "not signed, by TLS only"
	case ByFolder:
		return "not signed, a folder of this machine"
	case ByHTTP:
		return "not signed, plain http"
	}
	return ""
}
