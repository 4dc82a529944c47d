package testca

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/sassoftware/relic/v7/lib/pkcs7"
)

// Stamps is a time-stamp server.
type Stamps struct {
	URL      string
	Requests atomic.Int64 // requests so far
	Refuse   atomic.Bool  // answer 503
	Mislead  atomic.Bool  // stamp something else than what was asked for

	authority *Authority
	pair      pair
	time      func() time.Time
}

// Serve starts a time-stamp server that tells the given time.
func (n *Authority) Serve(now func() time.Time) *Stamps {
	n.tb.Helper()
	s := &Stamps{authority: n, time: now, pair: n.make("Authority Time Stamps", n.issuer, n.ecdsa(), timeStamping)}
	server := httptest.NewServer(s)
	n.tb.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Messages of RFC 3161, section 2.4.
type (
	request struct {
		Version int
		Imprint imprint
		Policy  asn1.ObjectIdentifier `asn1:"optional"`
		Nonce   *big.Int              `asn1:"optional"`
		CertReq bool                  `asn1:"optional"`
	}
	imprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	info struct {
		Version int
		Policy  asn1.ObjectIdentifier
		Imprint imprint
		Serial  *big.Int
		Time    time.Time `asn1:"generalized"`
		Nonce   *big.Int  `asn1:"optional"`
	}
	answer struct {
		Status struct{ Status int }
		Token  asn1.RawValue
	}
	certificateID struct{ Hashes []struct{ Hash []byte } } // ESS, RFC 5816
)

var (
	oidInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidESS  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	policy  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
)

func (s *Stamps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	serial := s.Requests.Add(1)
	if s.Refuse.Load() {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	var q request
	if _, err := asn1.Unmarshal(body, &q); err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
		http.Error(w, "this is no request", http.StatusBadRequest)
		return
	}
	if s.Mislead.Load() {
		q.Imprint.Digest[0] ^= 1
	}
	token, err := s.token(info{Version: 1, Policy: policy, Imprint: q.Imprint, Serial: big.NewInt(serial),
		Time: s.time().UTC().Truncate(time.Second), Nonce: q.Nonce})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	out, err := asn1.Marshal(answer{Token: asn1.RawValue{FullBytes: token}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(out)
}

func (s *Stamps) token(i info) ([]byte, error) {
	text, err := asn1.Marshal(i)
	if err != nil {
		return nil, err
	}
	b := pkcs7.NewBuilder(s.pair.key, []*x509.Certificate{s.pair.cert, s.authority.issuer.cert}, crypto.SHA256)
	if err := b.SetContent(oidInfo, text); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(s.pair.cert.Raw)
	if err := b.AddAuthenticatedAttribute(oidESS, certificateID{[]struct{ Hash []byte }{{sum[:]}}}); err != nil {
		return nil, err
	}
	signed, err := b.Sign()
	if err != nil {
		return nil, err
	}
	signed.Content.Version = 3
	return signed.Marshal()
}
