// Command pilot-agent is Istio's own (istio.io/istio/pilot/cmd/pilot-agent). It is
// an executable apart from istiod: the two register some environment variables
// with different defaults.
package main

import (
	"os"

	meshconfig "istio.io/api/mesh/v1alpha1"

	"istio.io/istio/pilot/cmd/pilot-agent/app"
	istioagent "istio.io/istio/pkg/istio-agent"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/security"
	"istio.io/istio/security/pkg/nodeagent/sds"
)

func main() {
	log.EnableKlogWithCobra()
	if err := app.NewRootCommand(newSDS).Execute(); err != nil {
		log.Error(err)
		os.Exit(-1)
	}
}

func newSDS(options *security.Options, cache security.SecretManager, key *meshconfig.PrivateKeyProvider) istioagent.SDSService {
	return sds.NewServer(options, cache, key)
}
