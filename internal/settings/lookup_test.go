package settings

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"k8s.io/client-go/rest"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
)

func connectedTo(t *testing.T, host string) *Provider {
	t.Helper()
	client, err := cluster.New(&rest.Config{Host: host}, cluster.Options{Endpoint: "`host`"})
	if err != nil {
		t.Fatal(err)
	}
	return &Provider{Connect: func() (*cluster.Client, error) { return client, nil }}
}

func failing(err error) *Provider {
	return &Provider{Connect: func() (*cluster.Client, error) { return nil, err }}
}

func never(t *testing.T) func(context.Context, *cluster.Client) error {
	return func(context.Context, *cluster.Client) error {
		t.Error("the cluster was asked")
		return nil
	}
}

// A cluster that does not answer, is not configured or not known yet is said once.
func TestLookupWarnsOnce(t *testing.T) {
	getMeshConfig := func(ctx context.Context, client *cluster.Client) error {
		_, err := client.Get(ctx, meshConfigID((&Provider{}).Mesh))
		return err
	}
	for name, p := range map[string]*Provider{
		"no cluster":  failing(ErrNoCluster),
		"unknown":     failing(&UnknownError{Attributes: []string{"host", "token"}}),
		"unreachable": connectedTo(t, "http://127.0.0.1:1"),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
			defer cancel()
			first := p.lookupWithin(ctx, time.Second, getMeshConfig)
			if len(first) != 1 || first[0].Severity() != diag.SeverityWarning {
				t.Fatalf("%v", first)
			}
			if second := p.Lookup(ctx, never(t)); len(second) > 0 {
				t.Errorf("%v", second)
			}
		})
	}
}

func TestLookupPassesErrorsOn(t *testing.T) {
	p := connectedTo(t, "http://127.0.0.1:1")
	p.trustDomain.checked = true
	diags := p.Lookup(context.Background(), func(context.Context, *cluster.Client) error {
		return errors.New("a foreign object")
	})
	if !diags.HasError() || !strings.Contains(diags[0].Detail(), "a foreign object") {
		t.Errorf("%v", diags)
	}
}

func TestUnknownErrorNamesAttributes(t *testing.T) {
	text := (&UnknownError{Attributes: []string{"host", "token"}}).Error()
	if !strings.Contains(text, "`host`, `token` of the provider block are") {
		t.Error(text)
	}
}

// A permission is said to be missing once, and the summaries differ: of
// warnings with one summary core shows one.
func TestUnseen(t *testing.T) {
	p := &Provider{}
	first := p.Unseen([]string{"list a", "list b"})
	if len(first) != 1 || !strings.Contains(first[0].Detail(), "list a\n  list b") || !strings.Contains(first[0].Summary(), "list a") {
		t.Errorf("%v", first)
	}
	if second := p.Unseen([]string{"list a", "list c"}); len(second) != 1 || strings.Contains(second[0].Detail(), "list a") || !strings.Contains(second[0].Summary(), "list c") {
		t.Errorf("%v", second)
	}
	if third := p.Unseen([]string{"list a", "list b", "list c"}); len(third) > 0 {
		t.Errorf("%v", third)
	}
}
