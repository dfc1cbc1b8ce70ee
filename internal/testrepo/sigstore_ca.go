package testrepo

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// authority is a root certificate and an intermediate one that issues.
type authority struct {
	root, intermediate *x509.Certificate
	key                *ecdsa.PrivateKey // of the intermediate
}

// earliest and latest bound what an instance made at a time vouches for.
func earliest(made time.Time) time.Time { return made.UTC().AddDate(-30, 0, 0) }
func latest(made time.Time) time.Time   { return made.UTC().AddDate(30, 0, 0) }

func newAuthority(name string, usage x509.ExtKeyUsage, now time.Time) (*authority, error) {
	rootKey, err := newP256()
	if err != nil {
		return nil, err
	}
	key, err := newP256()
	if err != nil {
		return nil, err
	}
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{
			Subject:   pkix.Name{CommonName: name, Organization: []string{"sigstore.example"}},
			NotBefore: earliest(now), NotAfter: latest(now),
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
			BasicConstraintsValid: true, IsCA: true,
		}
	}
	rootTemplate, template2 := template(name), template(name+"-intermediate")
	root, err := issue(rootTemplate, rootTemplate, &rootKey.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	template2.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	intermediate, err := issue(template2, root, &key.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	return &authority{root: root, intermediate: intermediate, key: key}, nil
}

// issue signs a certificate. A template without a serial number gets one.
func issue(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	if template.SerialNumber == nil {
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 150))
		if err != nil {
			return nil, fmt.Errorf("testrepo: make a serial number: %w", err)
		}
		template.SerialNumber = serial
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("testrepo: issue a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("testrepo: issue a certificate: %w", err)
	}
	return certificate, nil
}
