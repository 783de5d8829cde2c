package traffic_test

import (
	"testing"

	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

func TestSmoke(t *testing.T) {
	l := lab.New(t)
	shop := l.SourceNamespace("shop")
	pod := l.Workload(shop, "sleep-a", "sleep-a", nil)
	l.Expect(pod, lab.HTTP("httpbin.org"), lab.Through(301, pod))
	l.Expect(pod, lab.HTTPS("httpbin.org"), lab.Through(200, pod).OverTLS())
	l.Expect(pod, lab.TCP("1.1.1.1:44"), lab.Through(0, pod))
	t.Log(l.Log(pod))
}
