package testbed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func clientWithToken(t *testing.T, cp *ControlPlane, admin kubernetes.Interface, ns, account string) kubernetes.Interface {
	t.Helper()
	token, err := admin.CoreV1().ServiceAccounts(ns).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host: cp.Host, TLSClientConfig: rest.TLSClientConfig{CAData: cp.CAData}, BearerToken: token.Status.Token,
		UserAgent: "counted/1.0", QPS: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRequestsAreCountedExactly(t *testing.T) {
	cp, admin := sharedPlane(t)
	ns := namespace(t, admin, nil)
	config := rest.CopyConfig(cp.RESTConfig)
	config.UserAgent = "counted/1.0"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	mark, err := cp.Mark()
	if err != nil {
		t.Fatal(err)
	}
	const writes = 50
	for range writes {
		created, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(),
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "counted-"}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.CoreV1().ConfigMaps(ns).Delete(t.Context(), created.Name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = client.CoreV1().ConfigMaps(ns).Get(t.Context(), "missing", metav1.GetOptions{})
	_, _ = client.CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "dry"}},
		metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})

	all, err := cp.Requests(mark)
	if err != nil {
		t.Fatal(err)
	}
	requests := all.By("admin").ByAgent("counted/")
	want := map[string]int{"create configmaps": writes, "delete configmaps": writes, "get configmaps": 1, "create secrets": 1}
	if diff := cmp.Diff(want, requests.Count()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if n := len(requests.Writes()); n != 2*writes {
		t.Errorf("%d writes, want %d: a dry run is none", n, 2*writes)
	}
	codes := map[int]int{}
	for _, r := range requests {
		codes[r.Code]++
	}
	if diff := cmp.Diff(map[int]int{201: writes + 1, 200: writes, 404: 1}, codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	later, err := cp.Mark()
	if err != nil {
		t.Fatal(err)
	}
	if rest, err := cp.Requests(later); err != nil || len(rest.ByAgent("counted/")) != 0 {
		t.Errorf("after the mark: %v, %v", rest, err)
	}
}

func TestAuditLogReading(t *testing.T) {
	received := func(id, verb, uri string) string {
		return `{"auditID":"` + id + `","stage":"RequestReceived","requestURI":"` + uri + `","verb":"` + verb + `","user":{"username":"u"},"objectRef":{"apiGroup":"networking.istio.io","resource":"gateways","namespace":"n","name":"a"}}` + "\n"
	}
	complete := func(id, verb, code string) string {
		return `{"auditID":"` + id + `","stage":"ResponseComplete","verb":"` + verb + `","user":{"username":"u"},"responseStatus":{"code":` + code + `}}` + "\n"
	}
	before := received("0", "get", "/")                                                                                   // still open at the mark
	watch := `{"auditID":"w","stage":"ResponseComplete","verb":"watch","requestURI":"/w","user":{"username":"u"}}` + "\n" // opened long ago
	counted := complete("0", "get", "200") + watch + received("1", "patch", "/x?fieldManager=m") + received("2", "get", "/y") +
		complete("1", "patch", "201") + `{"auditID":"3","stage":"ResponseStarted","verb":"list","requestURI":"/api","user":{},"responseStatus":{"code":401}}` + "\n"
	after := complete("2", "get", "404") + received("4", "get", "/z") + `{"auditID":"5","half a li`

	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(path, []byte(before+counted+after), 0o600); err != nil {
		t.Fatal(err)
	}
	requests, open, err := readAudit(path, int64(len(before)), int64(len(before+counted)))
	if err != nil || open != 0 {
		t.Fatal(open, err)
	}
	want := Requests{
		{Verb: "patch", Resource: "networking.istio.io/gateways", Namespace: "n", Name: "a", URI: "/x?fieldManager=m", User: "u", Code: 201},
		{Verb: "get", Resource: "networking.istio.io/gateways", Namespace: "n", Name: "a", URI: "/y", User: "u", Code: 404},
		{Verb: "list", Resource: "/api", URI: "/api", Code: 401},
	}
	if diff := cmp.Diff(want, requests); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, open, err = readAudit(path, int64(len(before)), int64(len(before+counted+after)))
	if err != nil || open != 1 {
		t.Errorf("open %d (%v), want 1: request 4 has no answer yet", open, err)
	}
}

func TestLastLineEnd(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for name, test := range map[string]struct {
		content string
		want    int64
	}{
		"empty":                   {"", 0},
		"whole lines":             {"a\nbc\n", 5},
		"a line that is written":  {"a\nbc", 2},
		"the first line":          {"bc", 0},
		"a long line":             {"a\n" + long, 2},
		"the end of a long line":  {long + "\n", int64(len(long)) + 1},
		"a line behind long ones": {long + "\n" + long + "\nabc", 2 * (int64(len(long)) + 1)},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := lastLineEnd(path)
			if err != nil || got != test.want {
				t.Errorf("got %d, %v; want %d", got, err, test.want)
			}
		})
	}
}
