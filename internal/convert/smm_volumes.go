package convert

import "github.com/meshegress/terraform-provider-istio/internal/compile/workload"

// smmVolumes joins volumes and their mounts. A volume is written as in a pod,
// or with its source under `volumeSource`, as the operator's CRD has it.
func smmVolumes(volumes, mounts field, pod *workload.Pod) {
	paths := map[string]string{}
	unused := map[string]field{}
	for _, element := range mounts.list() {
		o := element.object()
		name := o.take("name").requiredText()
		path := o.take("mountPath").requiredText()
		// Secrets and ConfigMaps are read-only whatever this says.
		o.take("readOnly").boolean()
		o.take("subPath").refuse("a volume is mounted as a whole; take it out")
		o.done()
		if _, twice := paths[name]; twice {
			element.fail("volume %q is mounted twice, and can be mounted once", name)
		}
		paths[name], unused[name] = path, element
	}
	for _, element := range volumes.list() {
		o := element.object()
		name := o.take("name").requiredText()
		path, mounted := paths[name]
		if !mounted {
			element.fail("volume %q is not mounted; take it out", name)
		}
		delete(unused, name)
		source := o
		if nested := o.take("volumeSource"); nested.there() {
			source = nested.object()
		}
		smmVolume(source, name, path, pod)
		if source != o {
			source.done()
		}
		o.done()
	}
	for name, mount := range unused {
		mount.fail("there is no volume %q", name)
	}
}

func smmVolume(source *object, name, path string, pod *workload.Pod) {
	secret, configMap := source.take("secret"), source.take("configMap")
	switch {
	case secret.there():
		o := secret.object()
		pod.SecretVolumes = append(pod.SecretVolumes, workload.SecretVolume{
			Name: name, SecretName: o.take("secretName").requiredText(), MountPath: path, Optional: o.take("optional").boolean(),
		})
		o.done()
	case configMap.there():
		o := configMap.object()
		reference := o
		if nested := o.take("localObjectReference"); nested.there() {
			reference = nested.object()
		}
		pod.ConfigMapVolumes = append(pod.ConfigMapVolumes, workload.ConfigMapVolume{
			Name: name, ConfigMapName: reference.take("name").requiredText(), MountPath: path, Optional: o.take("optional").boolean(),
		})
		if reference != o {
			reference.done()
		}
		o.done()
	default:
		source.fail("only volumes of a secret or a configMap can be mounted")
		source.ignore(source.keys...)
	}
}
