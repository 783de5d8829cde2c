package kubelet

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
)

// environment is a container's environment in the order of its definition.
type environment struct {
	names  []string
	values map[string]string
}

func (e *environment) set(name, value string) {
	if _, ok := e.values[name]; !ok {
		e.names = append(e.names, name)
	}
	e.values[name] = value
}

func (e *environment) list() []string {
	list := make([]string, 0, len(e.names))
	for _, name := range e.names {
		list = append(list, name+"="+e.values[name])
	}
	return list
}

// environment resolves the variables of a container as a kubelet does.
func (p *pod) environment(container corev1.Container) (*environment, error) {
	env := &environment{values: map[string]string{}}
	for _, variable := range container.Env {
		value := expand(variable.Value, env)
		if from := variable.ValueFrom; from != nil {
			var err error
			switch {
			case from.FieldRef != nil:
				value, err = p.field(from.FieldRef.FieldPath)
			case from.ResourceFieldRef != nil:
				value, err = p.resourceField(container, from.ResourceFieldRef)
			default:
				err = fmt.Errorf("no such source of a value in the lab: %v", from)
			}
			if err != nil {
				return nil, fmt.Errorf("variable %s: %w", variable.Name, err)
			}
		}
		env.set(variable.Name, value)
	}
	return env, nil
}

// withoutImage replaces what an image and istiod's Service would have provided.
func (p *pod) withoutImage(env *environment) (*environment, error) {
	config := map[string]any{}
	if text := env.values["PROXY_CONFIG"]; text != "" {
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			return nil, fmt.Errorf("PROXY_CONFIG: %w", err)
		}
	}
	_, port, err := net.SplitHostPort(p.kubelet.Istiod)
	if err != nil {
		return nil, err
	}
	istiod := net.JoinHostPort(IstiodName, port)
	config["binaryPath"] = p.kubelet.Envoy
	config["proxyBootstrapTemplatePath"] = p.kubelet.Bootstrap
	config["discoveryAddress"] = istiod
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	env.set("PROXY_CONFIG", string(text))
	env.set("CA_ADDR", istiod)
	return env, nil
}

// IstiodName is the name of istiod's Service; the lab's name server answers it
// with the address of the process.
const IstiodName = "istiod.istio-system.svc"

func (p *pod) field(path string) (string, error) {
	meta := p.object.ObjectMeta
	switch path {
	case "metadata.name":
		return meta.Name, nil
	case "metadata.namespace":
		return meta.Namespace, nil
	case "metadata.uid":
		return string(meta.UID), nil
	case "spec.nodeName":
		return p.object.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return p.object.Spec.ServiceAccountName, nil
	case "status.podIP":
		return p.address, nil
	case "status.hostIP":
		return fabric.Host, nil
	case "metadata.labels":
		return downward(meta.Labels), nil
	case "metadata.annotations":
		return downward(meta.Annotations), nil
	}
	for prefix, values := range map[string]map[string]string{"metadata.labels['": meta.Labels, "metadata.annotations['": meta.Annotations} {
		if key, ok := strings.CutPrefix(path, prefix); ok {
			return values[strings.TrimSuffix(key, "']")], nil
		}
	}
	return "", fmt.Errorf("no field %s in the lab", path)
}

// downward is the format of labels and annotations in files of the downward API.
func downward(values map[string]string) string {
	var b strings.Builder
	for _, key := range sortedKeys(values) {
		fmt.Fprintf(&b, "%s=%s\n", key, strconv.Quote(values[key]))
	}
	return b.String()
}

// resourceField divides a limit or request by the divisor, rounded up. Where the
// container has no limit, a machine of two cores and one GiB is assumed.
func (p *pod) resourceField(container corev1.Container, ref *corev1.ResourceFieldSelector) (string, error) {
	quantity := map[string]resource.Quantity{
		"limits.cpu": resource.MustParse("2"), "limits.memory": resource.MustParse("1Gi"),
		"requests.cpu": {}, "requests.memory": {},
	}
	kind, name, _ := strings.Cut(ref.Resource, ".")
	given := container.Resources.Limits
	if kind == "requests" {
		given = container.Resources.Requests
	}
	value, ok := quantity[ref.Resource]
	if !ok {
		return "", fmt.Errorf("no resource field %s in the lab", ref.Resource)
	}
	if set, ok := given[corev1.ResourceName(name)]; ok {
		value = set
	}
	divisor := ref.Divisor.MilliValue()
	if divisor == 0 {
		divisor = 1000
	}
	return strconv.FormatInt((value.MilliValue()+divisor-1)/divisor, 10), nil
}

func expandAll(texts []string, env *environment) []string {
	expanded := make([]string, len(texts))
	for i, text := range texts {
		expanded[i] = expand(text, env)
	}
	return expanded
}

// expand replaces $(NAME) where NAME is set.
func expand(text string, env *environment) string {
	for _, name := range env.names {
		text = strings.ReplaceAll(text, "$("+name+")", env.values[name])
	}
	return text
}
