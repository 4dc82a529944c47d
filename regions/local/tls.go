package local

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// CAFile is the certificate (PEM) that clients over TLS must trust.
func (r *Region) CAFile() string { return filepath.Join(r.data, "ca.pem") }

func (r *Region) caKeyFile() string { return filepath.Join(r.data, "ca-key.pem") }

// TLSFor makes the settings of a TLS server at another address of this process: a leaf of the region's CA. names are the host names
// and addresses that the leaf is good for there, without wildcards.
func (r *Region) TLSFor(listen string) (config *tls.Config, names []string, err error) {
	dns, ips := namesOf(listen)
	for _, name := range dns {
		if !strings.HasPrefix(name, "*.") {
			names = append(names, name)
		}
	}
	for _, ip := range ips {
		names = append(names, ip.String())
	}
	config, err = r.tlsConfig(r.listening, listen)
	return config, names, err
}

// tlsConfig makes a fresh leaf for the names that these addresses are reached by, signed by the region's own CA.
func (r *Region) tlsConfig(listen ...string) (*tls.Config, error) {
	var names []string
	var ips []net.IP
	for _, address := range listen {
		n, i := namesOf(address)
		names, ips = append(names, n...), append(ips, i...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	ca, err := r.authority(names, ips)
	if err != nil {
		return nil, fmt.Errorf("certificate authority of the region: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := certificate("ssm-setup local region " + r.name)
	leaf.NotAfter = time.Now().AddDate(1, 0, 0)
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames, leaf.IPAddresses = names, ips
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca.Leaf, key.Public(), ca.PrivateKey)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{der, ca.Certificate[0]}, PrivateKey: key}},
	}, nil
}

// namesOf are the names and addresses a leaf is good for: this machine, and the host listened on.
func namesOf(listen string) (names []string, ips []net.IP) {
	names = []string{"localhost", "*.localhost"}
	ips = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	host, _, _ := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	switch {
	case host == "" || ip != nil && ip.IsUnspecified():
		if name, err := os.Hostname(); err == nil && name != "localhost" {
			names = append(names, name)
		}
		ips = append(ips, ownAddresses()...)
	case ip != nil && !ip.IsLoopback():
		ips = append(ips, ip)
	case ip == nil && host != "localhost":
		names = append(names, host, "*."+host)
	}
	return names, ips
}

func ownAddresses() (ips []net.IP) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() {
			ips = append(ips, n.IP)
		}
	}
	return ips
}

// authority reads the CA, or makes it once. Its certificate names what it is good for, so that a stolen key opens nothing but
// this region; where it does not fit (another address, or a CA of release 9.1, which had no limits) a new one is made of the
// same key and name, and copies of the old one stay good.
func (r *Region) authority(names []string, ips []net.IP) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(r.CAFile(), r.caKeyFile())
	switch {
	case err == nil && permits(pair.Leaf, names, ips):
		return pair, nil
	case err == nil:
		key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
		if !ok {
			return pair, fmt.Errorf("%s: not an ECDSA key", r.caKeyFile())
		}
		return r.newAuthority(key, names, ips)
	case !errors.Is(err, fs.ErrNotExist):
		return pair, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	if err := ground.Write(r.caKeyFile(), keyPEM, 0o600, !r.noSync); err != nil {
		return tls.Certificate{}, err
	}
	return r.newAuthority(key, names, ips)
}

// newAuthority makes the CA's certificate. It is written last: a key without one is made anew.
func (r *Region) newAuthority(key *ecdsa.PrivateKey, names []string, ips []net.IP) (tls.Certificate, error) {
	ca := certificate("ssm-setup local CA " + r.name)
	ca.IsCA, ca.BasicConstraintsValid, ca.MaxPathLenZero = true, true, true
	ca.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	ca.PermittedDNSDomainsCritical = true
	for _, name := range names {
		if !strings.HasPrefix(name, "*.") { // a domain stands for the names below it, too
			ca.PermittedDNSDomains = append(ca.PermittedDNSDomains, name)
		}
	}
	for _, ip := range ips {
		ca.PermittedIPRanges = append(ca.PermittedIPRanges, only(ip))
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := ground.Write(r.CAFile(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644, !r.noSync); err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// only is the range that holds one address.
func only(ip net.IP) *net.IPNet {
	if v4 := ip.To4(); v4 != nil {
		ip = v4
	}
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))}
}

// permits tells whether a CA is limited, and good for all these names and addresses.
func permits(ca *x509.Certificate, names []string, ips []net.IP) bool {
	if len(ca.PermittedDNSDomains) == 0 || len(ca.PermittedIPRanges) == 0 {
		return false
	}
	for _, name := range names {
		if !slices.Contains(ca.PermittedDNSDomains, strings.TrimPrefix(name, "*.")) {
			return false
		}
	}
	for _, ip := range ips {
		if !slices.ContainsFunc(ca.PermittedIPRanges, func(r *net.IPNet) bool { return r.Contains(ip) }) {
			return false
		}
	}
	return true
}

// certificate is a template good from yesterday for ten years.
func certificate(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails (crypto/rand)
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: []string{"ssm-setup"}},
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Now().AddDate(10, 0, 0),
	}
}

func portText(port int) string { return strconv.Itoa(port) }
