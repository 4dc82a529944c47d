package sign

import (
	"context"
	"crypto"
	"crypto/rsa"

	"github.com/sassoftware/relic/v7/lib/pkcs7"
	"github.com/sassoftware/relic/v7/lib/pkcs9"

	"github.com/ssm-setup/ssm-setup/installer/container/xar"
)

// Room that is reserved for a CMS signature beside its certificates: it is not known before the table is final, and a
// timestamp brings certificates of its own.
const (
	cmsRoom   = 2 << 10
	stampRoom = 16 << 10
)

// Xar are the signatures of a flat package: RSA where the key is one, and CMS with a timestamp.
func (s *Signer) Xar(ctx context.Context) ([]xar.Signature, error) {
	if s.apple == nil {
		return nil, nil
	}
	var der [][]byte
	size := int64(cmsRoom)
	for _, c := range s.apple.chain {
		der = append(der, c.Raw)
		size += int64(len(c.Raw))
	}
	if s.stampURL != "" {
		size += stampRoom
	}
	var list []xar.Signature
	if _, ok := s.apple.key.Public().(*rsa.PublicKey); ok {
		classic, err := xar.RSA(s.apple.key, der)
		if err != nil {
			return nil, err
		}
		list = append(list, classic)
	}
	return append(list, xar.Signature{Element: "x-signature", Style: "CMS", Size: size, Chain: der,
		Sign: func(sum []byte, _ crypto.Hash) ([]byte, error) { return s.cms(ctx, sum) }}), nil
}

// cms is a detached CMS signature of the table's digest.
func (s *Signer) cms(ctx context.Context, sum []byte) ([]byte, error) {
	b := pkcs7.NewBuilder(s.apple.key, s.apple.chain, digest)
	if err := b.SetContentData(sum); err != nil {
		return nil, err
	}
	signed, err := b.Sign()
	if err != nil {
		return nil, err
	}
	if _, err := pkcs9.TimestampAndMarshal(ctx, signed, s.stamper(), false); err != nil {
		return nil, err
	}
	if _, err := signed.Detach(); err != nil {
		return nil, err
	}
	return signed.Marshal()
}
