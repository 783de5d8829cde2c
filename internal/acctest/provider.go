package acctest

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/provider"
)

// ProviderSource is the source address in every configuration.
const ProviderSource = "meshegress/istio"

// ProviderFactories returns the provider of this checkout, run inside the test
// process. Its version is this test's own, so that Requests can tell its
// requests from those of tests beside it.
func (f *Fixture) ProviderFactories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"istio": protocol.New(provider.New(f.version())()),
	}
}

func (f *Fixture) version() string { return "acctest-" + f.Suffix }

// Option changes the provider block that Config writes.
type Option func(*Fixture, map[string]string)

// WithKubeconfig connects with a kubeconfig file instead of host and token. The
// account in it is the same one.
func WithKubeconfig() Option {
	return func(f *Fixture, block map[string]string) {
		for _, name := range []string{"host", "token", "cluster_ca_certificate"} {
			delete(block, name)
		}
		block["config_path"] = strconv.Quote(f.env.account.kubeconfig)
	}
}

// WithAttribute sets one attribute of the provider block to an HCL expression.
// An empty expression takes it away.
func WithAttribute(name, expression string) Option {
	return func(_ *Fixture, block map[string]string) {
		block[name] = expression
		if expression == "" {
			delete(block, name)
		}
	}
}

// WithDetail sets manifest_detail.
func WithDetail(detail string) Option {
	return WithAttribute("manifest_detail", strconv.Quote(detail))
}

// WithOwnerID sets owner_id.
func WithOwnerID(id string) Option { return WithAttribute("owner_id", strconv.Quote(id)) }

// WithForceConflicts sets force_conflicts.
func WithForceConflicts() Option { return WithAttribute("force_conflicts", "true") }

// Config returns a whole configuration: required_providers, the provider block
// and hcl. Without options the provider is the ServiceAccount of examples/rbac,
// by host and token.
func (f *Fixture) Config(hcl string, options ...Option) string {
	return requiredProviders + f.ProviderBlock(options...) + hcl
}

const requiredProviders = `terraform {
  required_providers {
    istio = { source = "` + ProviderSource + `" }
  }
}
`

// ProviderBlock returns the provider block alone.
func (f *Fixture) ProviderBlock(options ...Option) string {
	block := map[string]string{
		"host":                   strconv.Quote(f.env.account.host),
		"token":                  strconv.Quote(f.env.account.token),
		"cluster_ca_certificate": strconv.Quote(f.env.account.ca),
	}
	for _, option := range options {
		option(f, block)
	}
	var lines []string
	for name, expression := range block {
		lines = append(lines, fmt.Sprintf("  %s = %s\n", name, expression))
	}
	sort.Strings(lines)
	return "provider \"istio\" {\n" + strings.Join(lines, "") + "}\n"
}
