package console

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// DoorFile is the name, in a region's data folder, of the file by which another process of the same account asks for a one-time address:
// the console's address and a key (0600). It is there while the console is open.
const DoorFile = "console"

// door is what the file says.
type door struct {
	URL  string `json:"url"`
	Dial string `json:"dial"` // where the port is: an address of this machine
	CA   string `json:"ca,omitempty"`
	Key  string `json:"key"`
}

// hang writes the file.
func (c *Console) hang(dial string) error {
	c.doorKey = rand.Text()
	d := door{URL: c.URL(), Dial: dial, Key: c.doorKey}
	if c.secure {
		d.CA = c.region.CAFile()
	}
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	c.doorFile = filepath.Join(c.region.Data(), DoorFile)
	return ground.Write(c.doorFile, text, 0o600, false)
}

// answerDoor gives a process that holds the key a one-time address.
func (c *Console) answerDoor(w http.ResponseWriter, req *http.Request) {
	key, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(key), []byte(c.doorKey)) != 1 {
		c.refuse(w, http.StatusUnauthorized, "The key is not the one in the region's data folder.")
		return
	}
	c.refuse(w, http.StatusOK, c.Link())
}

// errClosed is a region without a console, or none at all.
var errClosed = fault.New(fault.Refused, "no region with a console runs on this folder",
	"start it with ssm-setup local, or name its folder with --data")

// NewLink asks the console of the region that runs on a data folder for a one-time address. The file must be the caller's own.
func NewLink(ctx context.Context, data string) (string, error) {
	text, err := os.ReadFile(filepath.Join(data, DoorFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", errClosed
	}
	if err != nil {
		return "", err
	}
	var d door
	if err := json.Unmarshal(text, &d); err != nil {
		return "", fmt.Errorf("cannot read %s: %w", DoorFile, err)
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "tcp", d.Dial)
	}}
	if d.CA != "" {
		pem, err := os.ReadFile(d.CA)
		if err != nil {
			return "", err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL+"/door", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+d.Key)
	res, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return "", errClosed // left behind by a region that was killed
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1024))
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", errClosed // another program has the port now
	}
	return strings.TrimSpace(string(answer)), nil
}
