package endtoend_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// issuer signs tokens as an OpenID Connect provider does, HCP Terraform for one.
type issuer struct {
	t   *testing.T
	key *rsa.PrivateKey
	*httptest.Server
}

// newIssuer starts an issuer that answers until the test ends.
func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key}
	answer := func(value func() any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(value())
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", answer(func() any {
		return map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}}
	}))
	mux.HandleFunc("/keys", answer(func() any {
		return map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
			"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		}}}
	}))
	i.Server = httptest.NewTLSServer(mux)
	t.Cleanup(i.Close)
	return i
}

// token returns a token for a subject, good for an hour.
func (i *issuer) token(subject, audience string) string {
	i.t.Helper()
	now := time.Now()
	claims := map[string]any{"iss": i.URL, "sub": subject, "aud": audience, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	var parts []string
	for _, part := range []map[string]any{{"alg": "RS256", "kid": "1", "typ": "JWT"}, claims} {
		parts = append(parts, base64.RawURLEncoding.EncodeToString([]byte(encode(i.t, part))))
	}
	digest := sha256.Sum256([]byte(strings.Join(parts, ".")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, digest[:])
	if err != nil {
		i.t.Fatal(err)
	}
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(signature)), ".")
}

// trusted makes the API server take the issuer's tokens for an audience, as users
// that are called prefix and subject, and waits until it does.
func (i *issuer) trusted(f *acctest.Fixture, audience, prefix string) {
	i.t.Helper()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate().Raw})
	config := encode(i.t, map[string]any{
		"apiVersion": "apiserver.config.k8s.io/v1beta1", "kind": "AuthenticationConfiguration",
		"jwt": []any{map[string]any{
			"issuer":        map[string]any{"url": i.URL, "audiences": []string{audience}, "certificateAuthority": string(certificate)},
			"claimMappings": map[string]any{"username": map[string]any{"claim": "sub", "prefix": prefix}},
		}},
	})
	if err := os.WriteFile(f.ControlPlane().Authentication, []byte(config), 0o644); err != nil {
		i.t.Fatal(err)
	}
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: i.token("anybody", audience)}}
	var last string
	err := wait.PollUntilContextTimeout(i.t.Context(), 100*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		answer, err := f.Kube.AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
		if apierrors.IsServerTimeout(err) || err == nil && !answer.Status.Authenticated {
			last = fmt.Sprint(err, answer.Status.Error)
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		i.t.Fatalf("the API server does not trust the issuer: %v: %s", err, last)
	}
}
