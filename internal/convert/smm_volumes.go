package convert

import (
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"

	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// smmVolumes joins volumes and their mounts. A volume is written as in a pod,
// or with its source under `volumeSource`, as the operator's CRD has it.
func smmVolumes(volumes, mounts fields.Field, pod *workload.Pod) {
	paths := map[string]string{}
	unused := map[string]fields.Field{}
	for _, element := range mounts.List() {
		o := element.Object()
		name := o.Take("name").RequiredText()
		path := o.Take("mountPath").RequiredText()
		// Secrets and ConfigMaps are read-only whatever this says.
		o.Take("readOnly").Boolean()
		o.Take("subPath").Refuse("a volume is mounted as a whole; take it out")
		o.Done()
		if _, twice := paths[name]; twice {
			element.Fail("volume %q is mounted twice, and can be mounted once", name)
		}
		paths[name], unused[name] = path, element
	}
	for _, element := range volumes.List() {
		o := element.Object()
		name := o.Take("name").RequiredText()
		path, mounted := paths[name]
		if !mounted {
			element.Fail("volume %q is not mounted; take it out", name)
		}
		delete(unused, name)
		source := o
		if nested := o.Take("volumeSource"); nested.There() {
			source = nested.Object()
		}
		smmVolume(source, name, path, pod)
		if source != o {
			source.Done()
		}
		o.Done()
	}
	for name, mount := range unused {
		mount.Fail("there is no volume %q", name)
	}
}

func smmVolume(source *fields.Object, name, path string, pod *workload.Pod) {
	secret, configMap := source.Take("secret"), source.Take("configMap")
	switch {
	case secret.There():
		o := secret.Object()
		pod.SecretVolumes = append(pod.SecretVolumes, workload.SecretVolume{
			Name: name, SecretName: o.Take("secretName").RequiredText(), MountPath: path, Optional: o.Take("optional").Boolean(),
		})
		o.Done()
	case configMap.There():
		o := configMap.Object()
		reference := o
		if nested := o.Take("localObjectReference"); nested.There() {
			reference = nested.Object()
		}
		pod.ConfigMapVolumes = append(pod.ConfigMapVolumes, workload.ConfigMapVolume{
			Name: name, ConfigMapName: reference.Take("name").RequiredText(), MountPath: path, Optional: o.Take("optional").Boolean(),
		})
		if reference != o {
			reference.Done()
		}
		o.Done()
	default:
		source.Fail("only volumes of a secret or a configMap can be mounted")
		source.Ignore(source.Keys...)
	}
}
