package provider

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// variables has the environment variable that each attribute falls back to.
var variables = map[string]string{
	"host":                     "KUBE_HOST",
	"token":                    "KUBE_TOKEN",
	"cluster_ca_certificate":   "KUBE_CLUSTER_CA_CERT_DATA",
	"client_certificate":       "KUBE_CLIENT_CERT_DATA",
	"client_key":               "KUBE_CLIENT_KEY_DATA",
	"insecure":                 "KUBE_INSECURE",
	"tls_server_name":          "KUBE_TLS_SERVER_NAME",
	"proxy_url":                "KUBE_PROXY_URL",
	"config_path":              "KUBE_CONFIG_PATH",
	"config_paths":             "KUBE_CONFIG_PATHS",
	"config_context":           "KUBE_CTX",
	"config_context_cluster":   "KUBE_CTX_CLUSTER",
	"config_context_auth_info": "KUBE_CTX_AUTH_INFO",
}

// setting is one value together with where it was said, so that a diagnostic
// can point there.
type setting struct {
	attribute string
	// variable is the environment variable that the value comes from, empty
	// if it stands in the provider block.
	variable string
	value    string
}

// choose returns the attribute's value, or else that of its environment
// variable. An attribute that is set to the empty string counts as not set
// and hides the variable, as in hashicorp/kubernetes.
func choose(attribute string, value *string, getenv func(string) string) setting {
	if value != nil {
		return setting{attribute: attribute, value: *value}
	}
	if v := getenv(variables[attribute]); v != "" {
		return setting{attribute: attribute, variable: variables[attribute], value: v}
	}
	return setting{attribute: attribute}
}

func (s setting) isSet() bool { return s.value != "" }

// inBlock reports whether the value stands in the provider block.
func (s setting) inBlock() bool { return s.isSet() && s.variable == "" }

// String names the place of the value, never the value.
func (s setting) String() string {
	if s.variable != "" {
		return "the environment variable " + s.variable
	}
	return "`" + s.attribute + "`"
}

// fail returns an error at the attribute, or one that names the variable in
// its detail if the value comes from there.
func (s setting) fail(summary, detail string, args ...any) diag.Diagnostic {
	if s.variable != "" {
		return diag.NewErrorDiagnostic(summary, fmt.Sprintf(detail, args...))
	}
	return diag.NewAttributeErrorDiagnostic(path.Root(s.attribute), summary, fmt.Sprintf(detail, args...))
}

// warn is fail for what does not stop the run.
func (s setting) warn(summary, detail string, args ...any) diag.Diagnostic {
	if s.variable != "" {
		return diag.NewWarningDiagnostic(summary, fmt.Sprintf(detail, args...))
	}
	return diag.NewAttributeWarningDiagnostic(path.Root(s.attribute), summary, fmt.Sprintf(detail, args...))
}

// chooseBool is choose for a switch: the setting is set if it is on. A
// variable that does not hold a boolean is an error.
func chooseBool(attribute string, value *bool, getenv func(string) string) (setting, diag.Diagnostics) {
	if value != nil {
		if *value {
			return setting{attribute: attribute, value: "true"}, nil
		}
		return setting{attribute: attribute}, nil
	}
	s := choose(attribute, nil, getenv)
	if !s.isSet() {
		return s, nil
	}
	on, err := strconv.ParseBool(s.value)
	if err != nil {
		return s, diag.Diagnostics{s.fail("Not a boolean", "%s is %q. Use true or false.", s, s.value)}
	}
	if !on {
		s.value = ""
	}
	return s, nil
}
