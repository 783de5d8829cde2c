package cluster

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// filledIn are fields that the server fills in, with the value. One that others
// wrote with that very value is no addition: taken out it would be filled in
// again, in the same request, and stay theirs by managedFields.
// Source: k8s.io/kubernetes pkg/apis/core/v1/defaults.go, SetDefaults_PodSpec,
// SetDefaults_Container, SetDefaults_Service.
var filledIn = map[string]string{
	"Deployment spec.template.spec.restartPolicy":                       "Always",
	"Deployment spec.template.spec.dnsPolicy":                           "ClusterFirst",
	"Deployment spec.template.spec.schedulerName":                       "default-scheduler",
	"Deployment spec.template.spec.containers.terminationMessagePath":   "/dev/termination-log",
	"Deployment spec.template.spec.containers.terminationMessagePolicy": "File",
	"Deployment spec.template.spec.containers.ports.protocol":           "TCP",
	"Service spec.type":           "ClusterIP",
	"Service spec.ports.protocol": "TCP",
}

// isDefault reports whether the server would fill in what is at a path.
func isDefault(live *unstructured.Unstructured, p fieldpath.Path) bool {
	var fields []string
	for _, step := range p {
		if step.FieldName != nil {
			fields = append(fields, *step.FieldName)
		}
	}
	at := strings.Join(fields, ".")
	if at == "spec.template.spec.containers.imagePullPolicy" {
		container, _ := valueAt(live.Object, p[:len(p)-1]).(map[string]any)
		image, _ := container["image"].(string)
		return container["imagePullPolicy"] == pullPolicy(image)
	}
	value, ok := filledIn[live.GetKind()+" "+at]
	found, _ := valueAt(live.Object, p).(string)
	return ok && found == value
}

// pullPolicy is the default for an image: it depends on its tag.
func pullPolicy(image string) string {
	name := image[strings.LastIndex(image, "/")+1:]
	if strings.Contains(name, "@") {
		return "IfNotPresent"
	}
	if _, tag, tagged := strings.Cut(name, ":"); tagged && tag != "latest" {
		return "IfNotPresent"
	}
	return "Always"
}
