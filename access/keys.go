package access

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"

	"github.com/go-jose/go-jose/v4"

	"lockstep/access/keyfile"
)

// algorithm is the one that tokens are signed with and the only one accepted:
// the one of the published identity platform, which every client knows.
const algorithm = jose.RS256

// Keys sign tokens and check their signatures. The first key signs; the others
// are still honoured. Make them with OpenKeys.
type Keys struct {
	signer jose.Signer
	public jose.JSONWebKeySet
}

// OpenKeys reads the keys from a file of PEM blocks, PKCS 8, and makes one
// when there is no file. To change keys, put a new block before the old one
// and remove the old one when its tokens have expired.
func OpenKeys(path string) (*Keys, error) {
	data, err := keyfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if data, err = newKey(); err == nil {
			err = keyfile.Write(path, data)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open token keys: %w", err)
	}
	k, err := parseKeys(data)
	if err != nil {
		return nil, fmt.Errorf("open token keys %s: %w", path, err)
	}
	return k, nil
}

func newKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func parseKeys(data []byte) (*Keys, error) {
	k := &Keys{}
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		key, ok := parsed.(*rsa.PrivateKey)
		if !ok || key.N.BitLen() < 2048 {
			return nil, errors.New("a key that isn't RSA of 2048 bits or more")
		}
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(der)
		id := base64.RawURLEncoding.EncodeToString(sum[:20])
		if k.signer == nil {
			private := jose.JSONWebKey{Key: key, KeyID: id, Algorithm: string(algorithm), Use: "sig"}
			if k.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: private}, (&jose.SignerOptions{}).WithType("JWT")); err != nil {
				return nil, err
			}
		}
		k.public.Keys = append(k.public.Keys, jose.JSONWebKey{Key: &key.PublicKey, KeyID: id, Algorithm: string(algorithm), Use: "sig"})
	}
	if k.signer == nil {
		return nil, errors.New("it holds no key")
	}
	return k, nil
}

// Public gives the public keys, as the identity face publishes them.
func (k *Keys) Public() jose.JSONWebKeySet { return k.public }
