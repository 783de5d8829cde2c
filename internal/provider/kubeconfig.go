package provider

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// expandHome replaces a leading `~` by the home directory.
func expandHome(name string, getenv func(string) string) (string, error) {
	if name == "" || name[0] != '~' {
		return name, nil
	}
	if len(name) > 1 && name[1] != '/' && name[1] != filepath.Separator {
		return "", errors.New("only ~ and ~/ are expanded, not the home of another user")
	}
	home := getenv("HOME")
	if home == "" {
		home = getenv("USERPROFILE")
	}
	if home == "" {
		return "", errors.New("neither HOME nor USERPROFILE is set")
	}
	return filepath.Join(home, name[1:]), nil
}

// kubeconfigTarget reads the files and returns the chosen context's cluster
// and user. Without a context it is an error, unless the host is named.
func (c Config) kubeconfigTarget(files []setting, getenv func(string) string, hostNamed bool) (target, diag.Diagnostics) {
	merged, diags := load(files)
	if diags.HasError() {
		return target{}, diags
	}
	var (
		result    = target{origin: files[0]}
		kubectx   = choose("config_context", c.ConfigContext, getenv)
		byCluster = choose("config_context_cluster", c.ConfigContextCluster, getenv)
		byUser    = choose("config_context_auth_info", c.ConfigContextAuthInfo, getenv)
		chosen    clientcmdapi.Context
	)

	contextName := merged.CurrentContext
	if kubectx.isSet() {
		contextName = kubectx.value
	}
	switch found, ok := merged.Contexts[contextName]; {
	case ok:
		chosen = *found
	case kubectx.isSet():
		diags.Append(kubectx.fail("No such context", "%s is %q, and %s. %s.",
			kubectx, kubectx.value, lacks(files, "context"), listed("contexts", merged.Contexts)))
	case contextName != "":
		diags.Append(files[0].fail("No such context", "The current-context is %q, and %s. %s.",
			contextName, lacks(files, "context"), listed("contexts", merged.Contexts)))
	case !hostNamed && !byCluster.isSet():
		diags.Append(files[0].fail("No context chosen",
			"There is no current-context in %s. Name a context in `config_context` or %s. %s.",
			names(files), variables["config_context"], listed("contexts", merged.Contexts)))
	}

	result.endpoint = fmt.Sprintf("the context %q of %s, from %s", contextName, names(files), files[0])

	// The more specific setting decides which name to look up and to blame.
	clusterBy, userBy := kubectx, kubectx
	if byCluster.isSet() {
		chosen.Cluster, clusterBy = byCluster.value, byCluster
	}
	if byUser.isSet() {
		chosen.AuthInfo, userBy = byUser.value, byUser
	}
	if diags.HasError() {
		return result, diags
	}
	if !clusterBy.isSet() {
		clusterBy = files[0]
	}
	if !userBy.isSet() {
		userBy = files[0]
	}

	if found, ok := merged.Clusters[chosen.Cluster]; ok {
		result.cluster = *found
	} else if chosen.Cluster != "" || !hostNamed {
		diags.Append(clusterBy.fail("No such cluster", "%s leads to the cluster %q, and %s. %s.",
			upperFirst(clusterBy.String()), chosen.Cluster, lacks(files, "cluster"), listed("clusters", merged.Clusters)))
	}
	if found, ok := merged.AuthInfos[chosen.AuthInfo]; ok {
		result.user = *found
	} else if chosen.AuthInfo != "" {
		diags.Append(userBy.fail("No such user", "%s leads to the user %q, and %s. %s.",
			upperFirst(userBy.String()), chosen.AuthInfo, lacks(files, "user"), listed("users", merged.AuthInfos)))
	}
	return result, diags
}

// load reads and merges the files as kubectl does: the first file that has a
// context, cluster or user of some name wins. Unlike kubectl it does not skip
// a file that is missing: it was named.
func load(files []setting) (*clientcmdapi.Config, diag.Diagnostics) {
	var diags diag.Diagnostics
	var paths []string
	for _, file := range files {
		if strings.ContainsAny(file.value, "\n\x00") {
			// The value is not repeated: a kubeconfig holds credentials.
			diags.Append(file.fail("Not a path", "%s holds several lines, such as the content of a kubeconfig file. "+
				"It takes the path of one. Contents can be given by `host`, `token`, `cluster_ca_certificate` and so on.", file))
			continue
		}
		if _, err := clientcmd.LoadFromFile(file.value); err != nil {
			diags.Append(file.fail("Cannot read the kubeconfig file", "%s names %q: %s.", file, file.value, reason(err)))
			continue
		}
		paths = append(paths, file.value)
	}
	if diags.HasError() {
		return nil, diags
	}
	merged, err := (&clientcmd.ClientConfigLoadingRules{Precedence: paths}).Load()
	if err != nil {
		return nil, diag.Diagnostics{files[0].fail("Cannot merge the kubeconfig files", "%s: %s.", names(files), err)}
	}
	return merged, nil
}

// reason cuts the path, which the caller names, off an error of the file system.
func reason(err error) string {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "there is no such file"
	case errors.As(err, &pathErr):
		return pathErr.Err.Error()
	}
	return err.Error()
}

func names(files []setting) string {
	var quoted []string
	for _, f := range files {
		quoted = append(quoted, fmt.Sprintf("%q", f.value))
	}
	return strings.Join(quoted, ", ")
}

func lacks(files []setting, kind string) string {
	return fmt.Sprintf("there is no such %s in %s (from %s)", kind, names(files), files[0])
}

// listed says which names there are to choose from.
func listed[T any](kind string, items map[string]T) string {
	if len(items) == 0 {
		return "It has no " + kind
	}
	return fmt.Sprintf("Its %s are %s", kind, strings.Join(slices.Sorted(maps.Keys(items)), ", "))
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
