package testbed

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
)

func TestAPIServerStopsAndStartsAgain(t *testing.T) {
	cp, client := sharedPlane(t)
	ns := namespace(t, client, nil)
	if err := cp.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	_, err := client.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{})
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("stopped: got %v, want a refused connection", err)
	}
	if err := cp.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

func TestIstiodStopsAndStartsAgain(t *testing.T) {
	cp, _ := sharedPlane(t)
	client, err := dynamic.NewForConfig(cp.RESTConfig)
	if err != nil {
		t.Fatal(err)
	}
	if err := cp.StopIstiod(); err != nil {
		t.Fatal(err)
	}
	if err := validates(t.Context(), client); err == nil || !strings.Contains(err.Error(), "failed calling webhook") {
		t.Errorf("stopped: got %v, want that the webhook was not reached", err)
	}
	if err := cp.StartIstiod(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := validates(t.Context(), client); err != nil {
		t.Errorf("started again: %v", err)
	}
}
