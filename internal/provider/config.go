package provider

import (
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	// Kubeconfig users with `auth-provider: {name: oidc}`; the removed providers
	// answer with where to find their exec plugin.
	_ "k8s.io/client-go/plugin/pkg/client/auth"
)

// Config has the attributes of the provider block that decide the connection.
// A nil field is not set in the block.
type Config struct {
	Host                  *string
	Token                 *string
	ClusterCACertificate  *string
	ClientCertificate     *string
	ClientKey             *string
	Insecure              *bool
	TLSServerName         *string
	ProxyURL              *string
	ConfigPath            *string
	ConfigPaths           []string
	ConfigContext         *string
	ConfigContextCluster  *string
	ConfigContextAuthInfo *string
	Exec                  *Exec
	// QPS limits the requests per second, Burst how many of them may come at
	// once. Without QPS there is no limit.
	QPS   *float64
	Burst *int64
}

// Exec is a credential plugin.
type Exec struct {
	APIVersion string
	Command    string
	Args       []string
	Env        map[string]string
}

// Environment is what configuration reads beside the block.
type Environment struct {
	Getenv func(string) string
	// ServiceAccount is the directory in which Kubernetes mounts the
	// credentials of a pod.
	ServiceAccount string
}

// Connection is how to reach a cluster.
type Connection struct {
	*rest.Config
	// Endpoint says where the server's address comes from, for messages: such
	// as "`host`", or "the context \"prod\" of /x/config, from `config_path`".
	Endpoint string
}

// target is a cluster, a user, and where both were found.
type target struct {
	cluster clientcmdapi.Cluster
	user    clientcmdapi.AuthInfo
	// origin is the setting that led here, endpoint a longer phrase for it.
	origin   setting
	endpoint string
}

// Connection returns how to reach the cluster, or nil without diagnostics when
// neither the block nor the environment names one. It never looks at a default
// kubeconfig, and never dials.
func (c Config) Connection(env Environment) (*Connection, diag.Diagnostics) {
	files, diags := c.files(env.Getenv)
	if diags.HasError() {
		return nil, diags
	}
	access, found := c.access(env.Getenv)
	diags.Append(found...)
	if len(files) == 0 {
		diags.Append(c.contextWithoutFile(env.Getenv)...)
	}

	var base target
	switch inCluster, ok := inClusterTarget(env); {
	case len(files) > 0:
		base, found = c.kubeconfigTarget(files, env.Getenv, access.host.isSet())
		diags.Append(found...)
	case access.host.isSet():
		base.origin = access.host
		base.endpoint = access.host.String()
	case ok:
		base = inCluster
	default:
		return nil, diags
	}
	if diags.HasError() {
		return nil, diags
	}

	diags.Append(access.apply(&base)...)
	if !diags.HasError() {
		diags.Append(base.check(access)...)
	}
	if diags.HasError() {
		return nil, diags
	}
	config, found := base.restConfig()
	diags.Append(found...)
	if diags.HasError() {
		return nil, diags
	}
	c.limit(config)
	return &Connection{Config: config, Endpoint: base.endpoint}, diags
}

// files returns the kubeconfig files to read: those of the block, else those
// of the environment. In hashicorp/kubernetes KUBE_CONFIG_PATH beside
// `config_paths` is an error; here the block wins.
func (c Config) files(getenv func(string) string) ([]setting, diag.Diagnostics) {
	var named []setting
	switch single, several := choose("config_path", c.ConfigPath, getenv), getenv(variables["config_paths"]); {
	case single.inBlock():
		named = []setting{single}
	case len(c.ConfigPaths) > 0:
		for _, p := range c.ConfigPaths {
			named = append(named, setting{attribute: "config_paths", value: p})
		}
	case single.isSet():
		named = []setting{single}
	case several != "":
		for _, p := range filepath.SplitList(several) {
			named = append(named, setting{attribute: "config_paths", variable: variables["config_paths"], value: p})
		}
	}

	var files []setting
	var diags diag.Diagnostics
	for _, s := range named {
		if !s.isSet() {
			// `a::b` in a list of paths, as kubectl reads KUBECONFIG.
			continue
		}
		expanded, err := expandHome(s.value, getenv)
		if err != nil {
			diags.Append(s.fail("Cannot expand the path of a kubeconfig file", "%s is %q: %s.", s, s.value, err))
			continue
		}
		s.value = expanded
		files = append(files, s)
	}
	return files, diags
}

// contextWithoutFile refuses a context, cluster or user that is chosen in the
// block while no kubeconfig file is named: going on would mean another cluster
// than the one that was asked for. A variable may be meant for other programs.
func (c Config) contextWithoutFile(getenv func(string) string) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, s := range []setting{
		choose("config_context", c.ConfigContext, getenv),
		choose("config_context_cluster", c.ConfigContextCluster, getenv),
		choose("config_context_auth_info", c.ConfigContextAuthInfo, getenv),
	} {
		if s.inBlock() {
			diags.Append(s.fail("No kubeconfig file to choose from",
				"%s is %q, but no kubeconfig file is named. Set `config_path` or %s, or remove it.",
				upperFirst(s.String()), s.value, variables["config_path"]))
		}
	}
	return diags
}

// restConfig turns the target into the configuration of a client.
func (t target) restConfig() (*rest.Config, diag.Diagnostics) {
	const name = "terraform"
	config, err := clientcmd.NewNonInteractiveClientConfig(clientcmdapi.Config{
		Clusters:  map[string]*clientcmdapi.Cluster{name: &t.cluster},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{name: &t.user},
		Contexts:  map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
	}, name, nil, nil).ClientConfig()
	if err != nil {
		return nil, diag.Diagnostics{t.origin.fail("The connection to the cluster is not usable",
			"What %s leads to does not make a client: %s.", t.origin, err)}
	}
	if config.ExecProvider != nil {
		config.ExecProvider.StdinUnavailable = true
		config.ExecProvider.StdinUnavailableMessage = "a Terraform provider has no terminal"
	}
	return config, nil
}

// limit sets the rate of the client. client-go's own default of 5 requests per
// second would decide the time of an apply; API Priority and Fairness guards
// the server instead.
func (c Config) limit(config *rest.Config) {
	if c.QPS == nil {
		config.QPS = -1
		return
	}
	config.QPS = float32(*c.QPS)
	config.Burst = max(1, int(2**c.QPS))
	if c.Burst != nil {
		config.Burst = int(*c.Burst)
	}
}
