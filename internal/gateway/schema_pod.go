package gateway

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

func podAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"pod": optionalObject("What is added to the pods. Image, arguments, identity and probes come from Istio's injection.", map[string]schema.Attribute{
			"labels":      optionalMap("Labels of the pods, such as those that your own Gateway objects select by.", workload.CheckLabels),
			"annotations": optionalMap("Annotations of the pods, such as `proxy.istio.io/config`.", workload.CheckAnnotations),
			"env":         optionalMap("Environment variables of the proxy, in the order of their names."),
			"secret_volumes": optionalObjects("Secrets of the gateway's namespace that are mounted into the proxy, read-only.", map[string]schema.Attribute{
				"name":        requiredString("Name of the volume, unique in the pod."),
				"secret_name": requiredString("Name of the Secret."),
				"mount_path":  requiredString("Directory in the container."),
				"optional":    optionalBool("Start without the Secret if it does not exist. Default: `false`."),
			}),
			"config_map_volumes": optionalObjects("ConfigMaps of the gateway's namespace that are mounted into the proxy, read-only.", map[string]schema.Attribute{
				"name":            requiredString("Name of the volume, unique in the pod."),
				"config_map_name": requiredString("Name of the ConfigMap."),
				"mount_path":      requiredString("Directory in the container."),
				"optional":        optionalBool("Start without the ConfigMap if it does not exist. Default: `false`."),
			}),
			"image_pull_secrets":               optionalList("Secrets of the gateway's namespace for the registry of the proxy image."),
			"termination_grace_period_seconds": optionalInt("How long a pod may take to drain connections and stop. Default: 30."),
			"host_network":                     optionalBool("Run the pods in the network of their nodes. Default: `false`."),
			"dns_policy":                       oneOf("How names are resolved in the pods. Default: `ClusterFirst`, with `host_network` `ClusterFirstWithHostNet`.", workload.DNSPolicies),
			"readiness_probe": optionalObject("How often the kubelet asks the proxy whether it is ready (`/healthz/ready` on port 15021). What is left out is as Istio has it.", map[string]schema.Attribute{
				"initial_delay_seconds": optionalInt("Seconds before the first probe."),
				"period_seconds":        optionalInt("Seconds between probes."),
				"timeout_seconds":       optionalInt("Seconds after which a probe has failed."),
				"success_threshold":     optionalInt("Successes in a row after which a pod is ready."),
				"failure_threshold":     optionalInt("Failures in a row after which a pod is not ready."),
			}),
			"pre_stop": optionalObject("What happens before the proxy is told to stop. Exactly one of its attributes is set.", map[string]schema.Attribute{
				"exec": optionalObject("Run a command in the container.", map[string]schema.Attribute{
					"command": requiredList("The command and its arguments, without a shell."),
				}),
				"http_get": optionalObject("Ask the pod by HTTP.", map[string]schema.Attribute{
					"path":   optionalString("Path. Default: `/`."),
					"port":   requiredInt("Port of the pod.", workload.CheckPort),
					"scheme": oneOf("Scheme. Default: `HTTP`.", workload.ProbeSchemes),
				}),
				"sleep": optionalObject("Go on serving for a while.", map[string]schema.Attribute{
					"seconds": requiredInt("Seconds."),
				}),
			}),
			"sysctls": optionalMap("Namespaced kernel parameters of the pods, value by name. " +
				"Default: `net.ipv4.ip_unprivileged_port_start = \"0\"`, but none with `run_as_root` or `host_network`."),
		}),
	}
}
